from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from hanok.engine.failpoints import VARIABLE, Failpoints

POINT = "create_server/plug:1/do/effect"
PROGRAM = (
    "import sys\n"
    "from hanok.engine.failpoints import Failpoints\n"
    "points = Failpoints()\n"
    "for point in sys.argv[1:]:\n"
    "    try:\n"
    "        points.reach(point)\n"
    "    finally:\n"
    "        print(point, flush=True)\n"
)


def run(armed: str, *points: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *points],
        env={**os.environ, VARIABLE: armed},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_process_dies_exactly_where_it_is_told_to_and_nothing_runs_after() -> None:
    died = run(f"kill:{POINT}", "create_server/plug:1/do/start", POINT, "later")
    assert died.returncode == -signal.SIGKILL
    assert died.stdout.split() == ["create_server/plug:1/do/start"]


@pytest.mark.parametrize("armed", ["", POINT, "kill:", "pause:" + POINT])
def test_what_is_not_armed_is_silent(armed: str) -> None:
    lived = run(armed, POINT, "later")
    assert (lived.returncode, lived.stdout.split()) == (0, [POINT, "later"])


def test_points_are_told_to_whoever_listens_now() -> None:
    first: list[str] = []
    second: list[str] = []
    points = Failpoints(first.append)
    points.reach("a")
    points.listen(second.append)
    points.reach("b")
    points.listen(None)
    points.reach("c")
    assert (first, second) == (["a"], ["b"])


def test_a_listener_s_failure_is_the_engine_s() -> None:
    def fail(point: str) -> None:
        raise OSError(point)

    with pytest.raises(OSError, match="here"):
        Failpoints(fail).reach("here")
