"""The command starts quickly and says what it can do."""

from __future__ import annotations

import subprocess
import sys

from hanok import __version__
from tests.cli.conftest import HANOK, clean_environment


def hanok(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HANOK, *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        env=clean_environment(),
        check=False,
    )


def test_version_is_one_line() -> None:
    done = hanok("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


def test_help_lists_the_commands() -> None:
    done = hanok("--help")
    assert done.returncode == 0
    for command in ("up", "openrc", "project", "user", "flavor", "image"):
        assert f" {command} " in done.stdout


def test_a_failure_is_one_sentence_and_code_1(tmp_path: object) -> None:
    done = hanok("project", "list", "--state", f"{tmp_path}/none")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("hanok: ")
    assert done.stderr.count("\n") == 1


def test_an_unknown_command_is_refused() -> None:
    assert hanok("fly").returncode not in (0, 1)


def test_help_loads_nothing_that_serves() -> None:
    """Time depends on the machine; what is imported does not."""
    code = (
        "import sys\nfrom hanok.cli.commands import run\nrun(['--help'])\n"
        "heavy = {'sqlalchemy', 'uvicorn', 'falcon', 'cryptography', 'urllib.request'}\n"
        "sys.exit(f'loaded: {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr
