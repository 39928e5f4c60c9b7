"""Disks: thin qcow2 files over stored images, or over nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from hanok.drivers.base import Disk, DiskSpec, ExportedImage
from hanok.drivers.libvirt.disk_holders import DiskHolders
from hanok.drivers.libvirt.names import safe_id
from hanok.media import qemu_img
from hanok.media.image_store import FREE_BYTES, ImageStore
from hanok.media.inspect import read_qcow2_header
from hanok.media.qemu_img import DiskFormat
from hanok.media.unfinished import is_abandoned, owner
from hanok.model.errors import HostError, Invalid

GIB: Final = 1 << 30

_SUFFIX: Final = ".qcow2"
_TEMP_SUFFIX: Final = ".making"
_DISK_MODE: Final = 0o600


_COPY_SECONDS: Final = 850.0
"""Wall time that a copy of a whole disk may take."""


class LibvirtStorage:
    """The disks in one folder.

    A disk appears under its name by one rename, when it is complete. What a killed process left
    half-made has another name and is swept when the driver is opened.
    """

    def __init__(self, folder: Path, images: ImageStore, holders: DiskHolders) -> None:
        self._folder = folder
        self._images = images
        self._holders = holders
        self._sweep()

    def create_disk(self, spec: DiskSpec) -> Disk:
        """Make a thin qcow2; see the protocol. About 30 ms, unless an image is to be copied."""
        path = self._path(spec.disk_id)
        if path.exists():
            return _describe(path)
        if spec.size_gib < 1:
            detail = f"{spec.disk_id}: {spec.size_gib} GiB"
            raise HostError("A disk has at least 1 GiB.", detail=detail, permanent=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{spec.disk_id}.{owner()}.", suffix=_TEMP_SUFFIX, dir=self._folder
        )
        temp = Path(name)
        try:
            self._write(spec, temp)
            os.fchmod(handle, _DISK_MODE)
            os.fsync(handle)
            temp.rename(path)
        finally:
            os.close(handle)
            with suppress(FileNotFoundError):
                temp.unlink()
        self._sync()
        return _describe(path)

    def describe_disk(self, disk_id: str) -> Disk:
        """Read the disk's header."""
        path = self._path(disk_id)
        if not path.exists():
            raise HostError("The disk is not on this host.", detail=str(path), permanent=True)
        return _describe(path)

    def replace_disk(self, disk_id: str, by_id: str) -> None:
        """Rename one file over the other; see the protocol. What the disk had is gone."""
        path, by = self._path(disk_id), self._path(by_id)
        holder = self._holders.holder(by_id)
        if holder is not None and by.exists():
            detail = f"{by_id} is held by {holder}"
            raise HostError("The disk is in use.", detail=detail, permanent=True)
        try:
            by.rename(path)
        except FileNotFoundError:
            self.describe_disk(disk_id)
        self._sync()

    def delete_disk(self, disk_id: str) -> None:
        """Remove the file; a disk that a domain holds is a permanent error."""
        path = self._path(disk_id)
        holder = self._holders.holder(disk_id)
        if holder is not None and path.exists():
            detail = f"{disk_id} is held by {holder}"
            raise HostError("The disk is in use.", detail=detail, permanent=True)
        path.unlink(missing_ok=True)
        self._sync()

    def export_disk(self, disk_id: str, image_id: str, disk_format: str) -> ExportedImage:
        """Flatten the disk into one file of the image store."""
        known = self._images.find(image_id)
        if known is None:
            path = self._path(disk_id)
            if not path.exists():
                raise HostError("The disk is not on this host.", detail=str(path), permanent=True)
            fmt = _backing_format(disk_format)
            known = self._images.add_made(
                image_id, disk_format, lambda target: _copy(path, "qcow2", target, fmt)
            )
        return ExportedImage(known.size, known.virtual_size, known.checksum)

    def discard_image(self, image_id: str) -> None:
        """Remove the image's folder; see the protocol."""
        self._images.remove(safe_id(image_id))

    def list_disks(self) -> list[Disk]:
        """List the disks, by id."""
        disks = []
        for path in sorted(self._folder.glob(f"[!.]*{_SUFFIX}")):
            with suppress(FileNotFoundError):  # deleted meanwhile
                disks.append(_describe(path))
        return disks

    def free_gib(self) -> int:
        """Return the free space of the file system, less what only root may use."""
        return shutil.disk_usage(self._folder).free // GIB

    def _write(self, spec: DiskSpec, path: Path) -> None:
        if spec.image_id is None:
            qemu_img.create_blank(path, spec.size_gib * GIB)
            return
        image = self._images.find(spec.image_id)
        if image is None:
            detail = f"image {spec.image_id} is not in {self._images.root}"
            raise HostError("The image is not on this host.", detail=detail, permanent=True)
        fmt = _backing_format(image.disk_format)
        if spec.image_format is None or image.disk_format != spec.image_format:
            detail = f"image {spec.image_id} is {image.disk_format}, not {spec.image_format}"
            raise HostError("The image's format is another one.", detail=detail, permanent=True)
        if image.virtual_size > spec.size_gib * GIB:
            detail = f"image {spec.image_id}: {image.virtual_size} bytes; {spec.size_gib} GiB"
            raise HostError("The image is larger than the disk.", detail=detail, permanent=True)
        backing = self._images.path(spec.image_id).resolve()
        if not spec.independent:
            qemu_img.create_overlay(path, backing, fmt, spec.size_gib * GIB)
            return
        _copy(backing, fmt, path, "qcow2")
        qemu_img.grow(path, "qcow2", spec.size_gib * GIB)

    def _path(self, disk_id: str) -> Path:
        return self._folder / f"{safe_id(disk_id)}{_SUFFIX}"

    def _sync(self) -> None:
        """Make the names in the folder durable."""
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _sweep(self) -> None:
        for path in self._folder.glob(f".*{_TEMP_SUFFIX}"):
            if is_abandoned(path.name.split(".")[-3]):
                path.unlink(missing_ok=True)


def _copy(source: Path, source_format: DiskFormat, target: Path, target_format: DiskFormat) -> None:
    """Copy a whole disk, if that leaves `FREE_BYTES` free; raises HostError."""
    needed = qemu_img.measure(source, source_format)
    free = shutil.disk_usage(target.parent).free
    if free - needed < FREE_BYTES:
        detail = f"a copy of {source} takes {needed} bytes; of {free}, {FREE_BYTES} stay free"
        raise HostError("The host has not enough space left.", detail=detail, permanent=True)
    qemu_img.convert(source, source_format, target, target_format, _COPY_SECONDS)


def _backing_format(disk_format: str) -> DiskFormat:
    """Return an image's format as a disk's; an ISO image has no boot disk's layout."""
    if disk_format == "raw":
        return "raw"
    if disk_format == "qcow2":
        return "qcow2"
    raise HostError("The image is no disk image.", detail=disk_format, permanent=True)


def _describe(path: Path) -> Disk:
    try:
        with path.open("rb") as file:
            size = read_qcow2_header(file).virtual_size
    except Invalid as error:
        detail = f"{path}: {error}"
        raise HostError("A disk on the host is damaged.", detail=detail, permanent=True) from error
    return Disk(path.name.removesuffix(_SUFFIX), str(path), "qcow2", size // GIB)
