"""qemu-img, in a cage: bounded address space, CPU and wall time, and never a guessed format.

It dies with this process: nobody else would end it, and it would fill a file that is swept.

Nothing else runs it. Every input and output names its format, because a format read from the
bytes is a format chosen by whoever wrote them (CVE-2015-5163, CVE-2024-4467).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final, Literal

from hanok.model.errors import HostError

DiskFormat = Literal["raw", "qcow2"]

QUICK: Final = 15.0
"""Wall time in seconds for what only writes headers."""

_ADDRESS_SPACE: Final = 1 << 30
# Else each of QEMU's up to 64 threads may reserve 64 MiB for its own memory, and the cage is full.
_ONE_ARENA: Final = {"MALLOC_ARENA_MAX": "1"}
_OUTPUT_LIMIT: Final = 2000


def create_overlay(path: Path, backing: Path, backing_format: DiskFormat, size: int) -> None:
    """Make a thin qcow2 of `size` bytes at `path`, whose untouched parts are read from `backing`.

    Raises `HostError`; `path` may then hold a part.
    """
    options = ["-f", "qcow2", "-F", backing_format, "-b", str(backing)]
    _run(["create", "-q", *options, str(path), str(size)], QUICK)


def create_blank(path: Path, size: int) -> None:
    """Make a thin qcow2 of `size` bytes, all zeros, at `path`; raises `HostError`."""
    _run(["create", "-q", "-f", "qcow2", str(path), str(size)], QUICK)


def grow(path: Path, fmt: DiskFormat, size: int) -> None:
    """Make the disk at `path` `size` bytes large; shrinking is refused by qemu-img."""
    _run(["resize", "-q", "-f", fmt, str(path), str(size)], QUICK)


def convert(
    source: Path, source_format: DiskFormat, target: Path, target_format: DiskFormat, wall: float
) -> None:
    """Copy a disk, with what lies in its backing files, into one file within `wall` seconds.

    A QEMU that is held still may have the source open (`-U`); nobody writes to it meanwhile.
    """
    formats = ["-f", source_format, "-O", target_format]
    _run(["convert", "-q", "-U", *formats, str(source), str(target)], wall)


def measure(source: Path, source_format: DiskFormat) -> int:
    """Return the bytes that a copy of a disk takes at most, with what lies in its backing files.

    Holes count for nothing, whatever the copy's format. The source may be open, as for `convert`.
    """
    formats = ["-f", source_format, "-O", "qcow2"]
    said = _run(["measure", "-U", "--output=json", *formats, str(source)], QUICK)
    return int(json.loads(said)["required"])


def _run(arguments: list[str], wall: float) -> bytes:
    """Run qemu-img inside its limits, return what it said; raises `HostError` with its complaint.

    The kernel kills it with the thread that waits for it.
    """
    bound = ["setpriv", "--pdeathsig", "KILL", "--"]
    cage = ["prlimit", f"--as={_ADDRESS_SPACE}", f"--cpu={max(1, int(wall))}", "--core=0", "--"]
    failed = f"The host could not {_VERBS[arguments[0]]} a disk."
    try:
        done = subprocess.run(
            [*bound, *cage, "qemu-img", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=wall,
            check=False,
            env=os.environ | _ONE_ARENA,
        )
    except subprocess.TimeoutExpired as error:
        detail = f"qemu-img took over {wall:g} s: {arguments}"
        # A copy that is too slow is so again, and its guest may be held still meanwhile.
        permanent = arguments[0] == "convert"
        raise HostError(failed, detail=detail, permanent=permanent) from error
    except FileNotFoundError as error:
        raise HostError(failed, detail=f"{error.filename} is not installed", permanent=True) from (
            error
        )
    if done.returncode:
        said = done.stderr.decode(errors="replace")[-_OUTPUT_LIMIT:].strip()
        raise HostError(failed, detail=f"qemu-img {arguments}: exit {done.returncode}: {said}")
    return done.stdout


_VERBS: Final = {"create": "make", "resize": "resize", "convert": "copy", "measure": "measure"}
