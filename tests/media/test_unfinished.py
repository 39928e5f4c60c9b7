from __future__ import annotations

import os
import subprocess
import sys

from hanok.media.unfinished import is_abandoned, owner


def test_a_living_process_is_known_by_its_mark() -> None:
    assert owner() == owner()
    assert owner().startswith(f"{os.getpid()}-")
    assert "." not in owner()
    assert not is_abandoned(owner())


def test_a_dead_process_s_mark_is_abandoned() -> None:
    lines = "from hanok.media.unfinished import owner; print(owner())"
    done = subprocess.run(
        [sys.executable, "-c", lines],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert is_abandoned(done.stdout.strip())


def test_another_process_of_the_same_number_is_another() -> None:
    pid, _, started = owner().partition("-")
    assert is_abandoned(f"{pid}-{int(started) - 1}")
    assert is_abandoned(pid)
    assert is_abandoned("")
