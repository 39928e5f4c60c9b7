"""A simulated region that runs as its own process, as operators run it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HANOK = Path(sys.executable).with_name("hanok")


def clean_environment() -> dict[str, str]:
    """This process's environment without what would change the command's defaults."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("OS_", "HANOK_"))
    }


@dataclass
class Running:
    """A region's process: its state directory, its address, what it said."""

    process: subprocess.Popen[str]
    state: Path
    url: str
    said: list[str]


def start(state: Path, *options: str) -> Running:
    """Start `hanok up` with the simulated driver and wait until it serves."""
    process = subprocess.Popen(
        [HANOK, "up", "--driver", "simulated", "--state", state, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environment(),
    )
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line.rstrip())
        if line.startswith("hanok: ready "):
            # What it says later must not fill the pipe.
            threading.Thread(target=said.extend, args=(process.stdout,), daemon=True).start()
            return Running(process, state, line.split()[-1], said)
    raise AssertionError(f"hanok up ended with {process.wait(10)}: {said}")


def stop(running: Running) -> int:
    """End it by SIGTERM; return its exit code."""
    running.process.terminate()
    try:
        return running.process.wait(5)
    finally:
        running.process.kill()
        running.process.wait(5)
        if running.process.stdout is not None:
            running.process.stdout.close()


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One region for all tests of this folder; they add to it and do not spoil it."""
    running = start(tmp_path_factory.mktemp("region") / "state")
    yield running
    stop(running)


@pytest.fixture(autouse=True)
def _defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(os.environ) - set(clean_environment()):
        if name != "HANOK_TEST_BOOTS":
            monkeypatch.delenv(name)
