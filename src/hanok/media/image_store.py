"""Where images' bytes lie on a host: one folder for each image, written once.

    <root>/<image id>/disk        the bytes as they were given, 0644
    <root>/<image id>/facts.json  what they are

A folder appears under its name by one rename, when everything in it is on the disk; whatever a
crash left half-made has another name, does not count, and is swept when the store is opened.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from hanok.media.inspect import inspect
from hanok.media.unfinished import is_abandoned, owner
from hanok.model.errors import HostError, Invalid, TooLarge

_CHUNK: Final = 1 << 20
_HOLE: Final = 64 << 10
FREE_BYTES: Final = 1 << 30
"""What an upload leaves free on the file system: a full one stops every guest that writes."""
MOST_HASHED: Final = 4 << 30
"""The bytes of a disk's copy up to which it gets a checksum: MD5 does about half a GB a second, and
a guest is held still meanwhile."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_SPACE: Final = "There is not enough space left for this image."
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image's bytes: `size` of the file, `virtual_size` of the disk, `checksum` MD5 in hex.

    MD5 is what the Image API reports; it tells of accidents, not of attackers. None where it was
    not worth its time (`ImageStore.add_made`).
    """

    image_id: str
    disk_format: str
    size: int
    virtual_size: int
    checksum: str | None


class ImageStore:
    """The images below one folder; several threads may use it at once."""

    def __init__(self, root: Path) -> None:
        """Open the store at `root`, made if absent, and sweep what dead processes left."""
        self.root = root
        root.mkdir(mode=0o711, parents=True, exist_ok=True)
        root.chmod(0o711)
        self._sweep()

    def add(self, image_id: str, source: Path | Iterable[bytes], disk_format: str) -> StoredImage:
        """Store an image from a file or from chunks of its bytes.

        An image that is there already is described and left alone: stored bytes never change.
        Raises `Invalid` where the bytes are not what `disk_format` says (`inspect`), `TooLarge`
        where they would leave less than `FREE_BYTES` free.
        """
        return self._add(image_id, disk_format, lambda path: _write(path, source))

    def add_made(
        self, image_id: str, disk_format: str, make: Callable[[Path], None]
    ) -> StoredImage:
        """Store an image that `make` writes to the path that it is given; it is not copied again.

        Above `MOST_HASHED` bytes, holes among them, it has no checksum. Otherwise as `add`; raises
        what `make` raises, too.
        """

        def write(path: Path) -> tuple[int, str | None]:
            make(path)
            return _settle(path)

        return self._add(image_id, disk_format, write)

    def _add(
        self, image_id: str, disk_format: str, write: Callable[[Path], tuple[int, str | None]]
    ) -> StoredImage:
        present = self.find(image_id)
        if present is not None:
            return present
        temp = self._new_folder(image_id)
        try:
            size, checksum = write(temp / "disk")
            facts = inspect(temp / "disk", disk_format)
            stored = StoredImage(image_id, facts.format, size, facts.virtual_size, checksum)
            _write(temp / "facts.json", [json.dumps(asdict(stored)).encode()])
            temp.chmod(0o711)
            _sync_folder(temp)
            self._publish(temp, image_id)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise TooLarge(_NO_SPACE, detail=str(error)) from error
        finally:
            shutil.rmtree(temp, ignore_errors=True)
        return self.get(image_id)

    def find(self, image_id: str) -> StoredImage | None:
        """Describe a stored image; None where there is none."""
        try:
            facts = json.loads((self._folder(image_id) / "facts.json").read_bytes())
        except FileNotFoundError:
            return None
        return StoredImage(**facts)

    def get(self, image_id: str) -> StoredImage:
        """Describe a stored image; raises a permanent `HostError` where there is none."""
        stored = self.find(image_id)
        if stored is None:
            raise HostError(f"Image {image_id} is not on this host.", permanent=True)
        return stored

    def path(self, image_id: str) -> Path:
        """Return where the image's bytes lie; raises a permanent `HostError` if nowhere."""
        self.get(image_id)
        return self._folder(image_id) / "disk"

    def remove(self, image_id: str) -> None:
        """Make the image absent; absent is success.

        Disks made from it lose what they have not overwritten: the caller knows that none is left.
        """
        folder = self._folder(image_id)
        doomed = self._new_folder(image_id)
        try:
            with suppress(FileNotFoundError):
                folder.rename(doomed)
        finally:
            shutil.rmtree(doomed)

    def ids(self) -> list[str]:
        """List the ids of the stored images."""
        return sorted(entry.name for entry in self.root.iterdir() if _ID.fullmatch(entry.name))

    def list_images(self) -> list[StoredImage]:
        """Describe every stored image, by id."""
        found = (self.find(image_id) for image_id in self.ids())
        return [stored for stored in found if stored is not None]

    def _folder(self, image_id: str) -> Path:
        if not _ID.fullmatch(image_id):
            raise Invalid(f"Image id {image_id!r} is malformed.")
        return self.root / image_id

    def _new_folder(self, image_id: str) -> Path:
        """Make a folder that does not count, named for this process, so that it can be swept."""
        return Path(tempfile.mkdtemp(prefix=f".{image_id}.{owner()}.", dir=self.root))

    def _publish(self, temp: Path, image_id: str) -> None:
        """Give the finished folder its name; another writer of the same image may be first."""
        try:
            temp.rename(self._folder(image_id))
        except OSError:
            if self.find(image_id) is None:
                raise
        _sync_folder(self.root)

    def _sweep(self) -> None:
        for entry in self.root.glob(".*.*.*"):
            if is_abandoned(entry.name.split(".")[-2]):
                shutil.rmtree(entry, ignore_errors=True)


def _write(path: Path, source: Path | Iterable[bytes]) -> tuple[int, str]:
    """Write the bytes to a new file 0644, zeros as holes; return their number and MD5."""
    digest = _md5()
    size = 0
    with path.open("xb") as target:
        for chunk in _chunks(source):
            digest.update(chunk)
            size += len(chunk)
            if shutil.disk_usage(path.parent).free < FREE_BYTES:
                raise TooLarge(_NO_SPACE)
            _write_sparse(target, chunk)
        target.truncate(size)
        os.fchmod(target.fileno(), 0o644)
        target.flush()
        os.fsync(target.fileno())
    return size, digest.hexdigest()


def _settle(path: Path) -> tuple[int, str | None]:
    """Make a file that somebody else wrote durable and 0644; return its size, and MD5 if small."""
    with path.open("rb") as file:
        os.fchmod(file.fileno(), 0o644)
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
        if size > MOST_HASHED:
            return size, None
        return size, hashlib.file_digest(file, _md5).hexdigest()


def _write_sparse(target: BinaryIO, chunk: bytes) -> None:
    """Write a chunk, skipping blocks of zeros."""
    for start in range(0, len(chunk), _HOLE):
        block = chunk[start : start + _HOLE]  # bytes: views of them are compared ten times slower
        if block == (_ZEROS if len(block) == _HOLE else bytes(len(block))):
            target.seek(len(block), os.SEEK_CUR)
        else:
            target.write(block)


def _chunks(source: Path | Iterable[bytes]) -> Iterator[bytes]:
    if not isinstance(source, Path):
        yield from source
        return
    with source.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_md5: Final = partial(hashlib.md5, usedforsecurity=False)
_ZEROS: Final = bytes(_HOLE)
