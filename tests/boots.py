"""Counts the guests that the tests boot, in every worker and subprocess of one test run."""

from __future__ import annotations

import os
from pathlib import Path

ENVIRONMENT = "HANOK_TEST_BOOTS"


def count_guest_boot(what: str) -> None:
    """Note that one real guest was booted; `what` says which, in a few words.

    Call it once for each boot, where the guest is started. The end of the run prints the number.
    """
    path = os.environ.get(ENVIRONMENT)
    if path is None:
        raise RuntimeError(f"{ENVIRONMENT} is not set: guests are counted inside a test run")
    line = f"{os.getpid()} {what}".replace("\n", " ") + "\n"
    # One short write to a file opened for appending is whole, whoever else writes.
    with Path(path).open("ab", buffering=0) as report:
        report.write(line.encode())


def booted_guests(path: Path) -> list[str]:
    """Return what was noted in the report file, in order; empty where there is none."""
    if not path.exists():
        return []
    return [line.split(" ", 1)[1] for line in path.read_text().splitlines()]
