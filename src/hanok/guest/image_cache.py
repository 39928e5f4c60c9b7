"""Where built images lie, and how a build publishes one: alone, whole or not at all."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def folder() -> Path:
    """Return the machine's folder of built images; QEMU's own user can reach root's."""
    if os.geteuid() == 0:
        return Path("/var/cache/hanok/images")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "hanok", "images")


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """Hold the build lock of the target's folder; yield a path to build at, in a scratch folder.

    On success what was built there replaces `target` at once; otherwise it is removed. Guests that
    run from the old file keep it. A second builder waits for the first.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".build-") as scratch:
            fresh = Path(scratch, target.name)
            yield fresh
            with fresh.open("rb") as built:
                os.fsync(built.fileno())
            fresh.chmod(0o644)
            fresh.replace(target)
