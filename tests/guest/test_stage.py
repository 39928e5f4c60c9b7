from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hanok.guest.stage import Stage, StageIncomplete


def test_programs_run_on_the_libraries_beside_them(stage: Stage) -> None:
    assert stage.run("jq", "-n", "1 + 1").strip() == "2"
    assert "busybox" in stage.run("busybox", "--list").split()


def test_libraries_are_found_for_dynamic_programs_only(stage: Stage) -> None:
    libraries = stage.libraries([stage.program("jq"), stage.program("busybox")])
    assert {"libjq.so.1", "libc.so.6"} <= libraries.keys()
    assert all(path.is_file() for path in libraries.values())
    assert stage.libraries([stage.program("busybox")]) == {}


def test_a_library_of_the_machine_is_none_of_the_packages(stage: Stage, tmp_path: Path) -> None:
    packages = stage.loader().parents[2]
    alone = tmp_path / "stage"
    (alone / "usr/bin").mkdir(parents=True)
    subprocess.run(["cp", stage.program("jq"), alone / "usr/bin/jq"], check=True, timeout=10)
    loader = alone / stage.loader().relative_to(packages)
    loader.parent.mkdir(parents=True)
    subprocess.run(["cp", stage.loader(), loader], check=True, timeout=10)
    bare = Stage(alone)
    with pytest.raises(StageIncomplete, match="None of the packages has"):
        bare.libraries([bare.program("jq")])


def test_what_is_absent_or_fails_is_told(stage: Stage) -> None:
    with pytest.raises(StageIncomplete, match="no-such-program"):
        stage.program("no-such-program")
    with pytest.raises(StageIncomplete, match="failed"):
        stage.run("jq", "not a program at all ((")
