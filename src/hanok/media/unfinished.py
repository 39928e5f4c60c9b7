"""What is being made has a name of its own, which says whose it is: a dead process's is swept.

A process is told by its number and by when the kernel started it. The number alone comes again: in
a container the same program has the same one at every start, and would take what its predecessor
left for its own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_START: Final = 19
"""Where a process's start stands among the fields behind its name (proc(5), field 22)."""


def owner() -> str:
    """Return this process's mark, to be a part of a name; it holds no dot."""
    pid = os.getpid()
    return f"{pid}-{_started(str(pid))}"


def is_abandoned(mark: str) -> bool:
    """Tell whether the process of a mark is dead."""
    pid, _, started = mark.partition("-")
    return not pid.isdecimal() or _started(pid) != started


def _started(pid: str) -> str:
    """Return when a process was started, in the kernel's ticks; empty where there is none."""
    try:
        stat = Path("/proc", pid, "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # The name stands in parentheses and may hold any character.
    return stat.rpartition(")")[2].split()[_START]
