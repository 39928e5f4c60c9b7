"""Where built images lie, and how a build publishes one: alone, whole or not at all."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_SCRATCH = ".build-"


class BuildFailed(Exception):
    """An image cannot be built; the message says why, and what to do where that is known."""


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
        for left_over in target.parent.glob(f"{_SCRATCH}*"):  # of a build that was killed
            shutil.rmtree(left_over)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=_SCRATCH) as scratch:
            fresh = Path(scratch, target.name)
            yield fresh
            with fresh.open("rb") as built:
                os.fsync(built.fileno())
            fresh.chmod(0o644)
            fresh.replace(target)


def recipe_digest(recipe: Path, modules: Iterable[str]) -> str:
    """Return eight hex digits that change with any file of a recipe's folder, or module here."""
    here = Path(__file__).parent
    sources = [path for path in sorted(recipe.rglob("*")) if path.is_file()]
    sources += [here / f"{module}.py" for module in modules]
    digest = hashlib.sha256()
    for path in sources:
        digest.update(f"{path.relative_to(here)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:8]


def command(
    description: str | None,
    cache_path: Callable[[], Path],
    build: Callable[[Path], None],
    arguments: list[str] | None,
    cached: Callable[[], Path | None] = lambda: None,
) -> int:
    """Run a build's command line: [--output PATH] [--if-missing]; return its exit status.

    `cached` finds an image that is good enough for --if-missing without asking anybody.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--output", type=Path, help="where to write (default: the cache)")
    parser.add_argument("--if-missing", action="store_true", help="do nothing if it is there")
    options = parser.parse_args(arguments)
    try:
        found = cached() if options.if_missing and options.output is None else None
        target = found or options.output or cache_path()
        if options.if_missing and target.exists():
            say(f"There already: {target}")
        else:
            build(target)
    except BuildFailed as error:
        say(str(error))
        return 1
    return 0


def say(sentence: str) -> None:
    """Tell who builds on a terminal how it goes."""
    sys.stderr.write(f"{sentence}\n")
