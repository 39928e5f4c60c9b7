"""The files of a simulated world: one small JSON file an object, replaced whole.

A file is written under another name and renamed, without fsync: it survives the death of the
process as a real guest does, not that of the machine. All changes are made under one lock, which
the kernel takes back from a process that dies.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from hanok.model.errors import HostError

Record = TypeVar("Record")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_UNFINISHED = ".unfinished-"
_LONGEST_LOG = 1 << 20


class Folder(Generic[Record]):
    """The objects of one kind: a folder with a file `<id>.json` each."""

    def __init__(self, path: Path, record: type[Record]) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._decoder = msgspec.json.Decoder(record)

    def get(self, object_id: str) -> Record | None:
        """Read one; None when there is none."""
        try:
            content = self.file(object_id).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return self._decoder.decode(content)
        except msgspec.DecodeError as error:
            raise HostError(
                "The host cannot read its own records.",
                detail=f"{self.file(object_id)}: {error}",
                permanent=True,
            ) from error

    def put(self, object_id: str, record: Record) -> None:
        """Write one whole; call it under the world's lock."""
        replace(self.file(object_id), msgspec.json.encode(record))

    def drop(self, object_id: str) -> None:
        """Remove one; absent is success. Call it under the world's lock."""
        self.file(object_id).unlink(missing_ok=True)

    def all(self) -> Iterator[tuple[str, Record]]:
        """Read every one that is there, by id."""
        for object_id in self.ids():
            record = self.get(object_id)
            if record is not None:
                yield object_id, record

    def ids(self) -> list[str]:
        """List the ids, sorted."""
        # Not iterdir(), which makes a Path of each name: a world may have ten thousand.
        names = (entry.name for entry in os.scandir(self.path))
        return sorted(
            name.removesuffix(".json")
            for name in names
            if name.endswith(".json") and not name.startswith(".")
        )

    def file(self, object_id: str) -> Path:
        """Where one lies; ids that are no plain file names are refused for good."""
        if not _ID.fullmatch(object_id):
            raise HostError(
                "The host does not understand the request.",
                detail=f"not an id: {object_id!r}",
                permanent=True,
            )
        return self.path / f"{object_id}.json"

    def sweep(self) -> None:
        """Remove what a writer that died has left; call it under the world's lock."""
        for leftover in self.path.glob(f"{_UNFINISHED}*"):
            leftover.unlink(missing_ok=True)


class Changes:
    """A log of what changed, a line "<deployment id> <server id>" each, for whoever watches.

    It holds hints only: it is cut when it is long, and nobody needs it after a restart.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, deployment_id: str, server_id: str) -> None:
        """Add a line; call it under the world's lock."""
        with open(self._path, "ab", buffering=0, opener=_private) as log:
            if log.tell() > _LONGEST_LOG:
                log.truncate(0)
            log.write(f"{deployment_id} {server_id}\n".encode())

    def end(self) -> int:
        """Return the log's length in bytes now."""
        with suppress(FileNotFoundError):
            return self._path.stat().st_size
        return 0

    def since(self, offset: int) -> tuple[int, list[tuple[str, str]]]:
        """Return the new end and the (deployment id, server id) lines after `offset`."""
        end = self.end()
        if end == offset:
            return end, []
        try:
            log = self._path.open("rb")
        except FileNotFoundError:
            return 0, []
        with log:
            log.seek(offset if offset < end else 0)
            content = log.read()
            end = log.tell()
        lines = [line.split() for line in content.decode().splitlines()]
        return end, [(line[0], line[1]) for line in lines if len(line) == 2]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, alone among all threads and processes."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace(path: Path, content: bytes) -> None:
    """Write a file under another name and rename it, for the owner only."""
    unfinished = path.with_name(f"{_UNFINISHED}{path.name}")
    with open(unfinished, "wb", opener=_private) as file:
        file.write(content)
    unfinished.rename(path)


def append(path: Path, content: bytes) -> None:
    """Add to the end of a file, for the owner only."""
    with open(path, "ab", opener=_private) as file:
        file.write(content)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
