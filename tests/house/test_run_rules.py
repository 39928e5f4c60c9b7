"""The rules of a test run hold: skips count as root, guests are counted, over all workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT

AS_ROOT = os.geteuid() == 0
PLUGINS = ("-p", "tests.conftest", "-p", "pytest_timeout", "-p", "xdist.plugin")


def run(folder: Path, files: dict[str, str], *options: str) -> tuple[int, str]:
    """Run pytest with this project's rules on made-up files; return its exit code and output."""
    for name, text in files.items():
        (folder / name).write_text(text)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", *PLUGINS, "-p", "no:cacheprovider"),
            *("-c", f"{ROOT}/pyproject.toml", f"--rootdir={folder}", *options, str(folder)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_skip_counts_as_failed_for_root(tmp_path: Path) -> None:
    files = {
        "test_called.py": "import pytest\ndef test_a():\n    pytest.skip('called')\n",
        "test_marked.py": "import pytest\n@pytest.mark.skip(reason='mark')\ndef test_a(): ...\n",
        "test_module.py": "import pytest\npytest.skip('module', allow_module_level=True)\n",
    }
    code, output = run(tmp_path, files, "--continue-on-collection-errors")
    assert (code != 0) is AS_ROOT
    if AS_ROOT:
        for reason in ("called", "mark", "module"):
            assert f"skipped, which counts as failed when run as root: Skipped: {reason}" in output
        assert "1 failed, 2 errors" in output
    else:
        assert "3 skipped" in output


def test_an_expected_failure_is_no_skip_and_a_warning_fails(tmp_path: Path) -> None:
    files = {
        "test_x.py": "import pytest\n@pytest.mark.xfail\ndef test_a():\n    assert False\n",
        "test_w.py": "import warnings\ndef test_a():\n    warnings.warn('careful')\n",
    }
    code, output = run(tmp_path, files)
    assert code == 1
    assert "UserWarning: careful" in output
    assert "1 failed, 1 xfailed" in output


def test_guests_are_counted_over_workers(tmp_path: Path) -> None:
    text = (
        "import pytest\nfrom tests.boots import count_guest_boot\n"
        "@pytest.mark.parametrize('n', range(4))\n"
        "def test_a(n):\n    count_guest_boot(f'guest {n}')\n"
    )
    code, output = run(tmp_path, {"test_guests.py": text}, "-n", "2")
    assert code == 0
    assert sorted(line for line in output.splitlines() if line.startswith("booted: ")) == [
        f"booted: guest {n}" for n in range(4)
    ]
    assert "guests booted: 4" in output
