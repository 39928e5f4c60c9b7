"""Running a host's own programs: an argument list, a deadline, an error that explains itself."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Final

from hanok.model.errors import HostError, HostUnreachable

TIMEOUT: Final = 10.0
"""Seconds that a program may take, unless the caller says otherwise."""

_OUTPUT_LIMIT: Final = 2000


def run(argv: Sequence[str], failed: str, *, stdin: str = "", timeout: float = TIMEOUT) -> str:
    """Run a program and return what it wrote to its standard output.

    `failed` is the sentence for the tenant. Raises `HostError`, permanent where the program is
    not installed, and `HostUnreachable` past the deadline.
    """
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise HostUnreachable(failed, detail=f"{argv[0]} took over {timeout:g} s") from error
    except FileNotFoundError as error:
        raise HostError(failed, detail=f"{argv[0]} is not installed", permanent=True) from error
    if done.returncode:
        said = (done.stderr or done.stdout)[-_OUTPUT_LIMIT:].strip()
        detail = f"{' '.join(argv)}: exit {done.returncode}: {said}"
        raise HostError(failed, detail=f"{detail}; given {stdin!r}" if stdin else detail)
    return done.stdout
