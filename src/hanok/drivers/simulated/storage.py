"""Simulated disks: a record of each, and no bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hanok.drivers.base import Disk, DiskSpec, ExportedImage
from hanok.drivers.simulated.config import GIB, SimulatedConfig
from hanok.drivers.simulated.faults import Faults, Misbehaving, with_faults
from hanok.drivers.simulated.records import DiskRecord, WorldFiles
from hanok.media.image_store import MOST_HASHED
from hanok.model.errors import HostError


class SimulatedStorage(Misbehaving):
    """The storage driver of one deployment in a simulated world."""

    part = "storage"

    def __init__(
        self, deployment_id: str, files: WorldFiles, config: SimulatedConfig, faults: Faults
    ) -> None:
        super().__init__(faults)
        self._deployment_id = deployment_id
        self._files = files
        self._config = config

    @with_faults
    def create_disk(self, spec: DiskSpec) -> Disk:
        """Write the disk down; see the protocol. An image's bytes count as written, no others."""
        with self._files.locked():
            there = self._files.disks.get(spec.disk_id)
            if there is not None and there.deployment_id != self._deployment_id:
                raise _permanent("The disk's id is taken on this host.", spec.disk_id)
            if there is not None:
                return there.disk
            written = self._image_bytes(spec)
            path = str(self._files.disks.file(spec.disk_id))
            disk = Disk(spec.disk_id, path, "simulated", spec.size_gib)
            image_id = None if spec.independent else spec.image_id
            record = DiskRecord(self._deployment_id, disk, image_id, written)
            self._files.disks.put(spec.disk_id, record)
            return disk

    @with_faults
    def describe_disk(self, disk_id: str) -> Disk:
        """Look at the record."""
        record = self._own(disk_id)
        if record is None:
            raise _permanent("The disk is not on this host.", disk_id)
        return record.disk

    @with_faults
    def replace_disk(self, disk_id: str, by_id: str) -> None:
        """Put one record in the place of the other; whoever holds that one holds it on."""
        with self._files.locked():
            there, by = (self._own(one) for one in (disk_id, by_id))
            if by is None:
                if there is None:
                    raise _permanent("The disk is not on this host.", disk_id)
                return
            holder = self._files.holder(by)
            if holder is not None:
                raise _permanent("The disk is in use.", f"{by_id} is held by {holder}")
            path = str(self._files.disks.file(disk_id))
            disk = replace(by.disk, disk_id=disk_id, path=path)
            held_by = None if there is None else there.held_by
            self._files.disks.put(disk_id, replace(by, disk=disk, held_by=held_by))
            self._files.disks.drop(by_id)

    @with_faults
    def delete_disk(self, disk_id: str) -> None:
        """Remove the record; a disk that a domain holds is a permanent error."""
        with self._files.locked():
            record = self._own(disk_id)
            if record is None:
                return
            holder = self._files.holder(record)
            if holder is not None:
                raise _permanent("The disk is in use.", f"{disk_id} is held by {holder}")
            self._files.disks.drop(disk_id)

    @with_faults
    def export_disk(self, disk_id: str, image_id: str, disk_format: str) -> ExportedImage:
        """Say what an image of the disk would be; a simulated one has no bytes to copy."""
        record = self._own(disk_id)
        if record is None:
            raise _permanent("The disk is not on this host.", disk_id)
        whole = record.disk.size_gib * GIB
        size = whole if disk_format == "raw" else GIB
        checksum = hashlib.md5(image_id.encode(), usedforsecurity=False).hexdigest()
        return ExportedImage(size, whole, checksum if size <= MOST_HASHED else None)

    @with_faults
    def discard_image(self, image_id: str) -> None:
        """Do nothing: an export leaves no bytes here."""
        del image_id

    @with_faults
    def list_disks(self) -> list[Disk]:
        """List the disks of this deployment."""
        return [
            record.disk
            for _, record in self._files.disks.all()
            if record.deployment_id == self._deployment_id
        ]

    @with_faults
    def free_gib(self) -> int:
        """Return the configured space less what all disks of the world have written."""
        written = sum(record.written_bytes for _, record in self._files.disks.all())
        return max(0, self._config.disk_gib - -(-written // GIB))

    def _own(self, disk_id: str) -> DiskRecord | None:
        record = self._files.disks.get(disk_id)
        return record if record and record.deployment_id == self._deployment_id else None

    def _image_bytes(self, spec: DiskSpec) -> int:
        if spec.size_gib < 1:
            raise _permanent("A disk has at least 1 GiB.", f"{spec.disk_id}: {spec.size_gib} GiB")
        if spec.image_id is None:
            return 0
        if spec.image_format is None:
            raise _permanent("The image's format is not known.", f"image {spec.image_id}")
        size = self._config.image_size(spec.image_id)
        if size is None:
            raise _permanent("The image is not there.", f"image {spec.image_id}")
        if size > spec.size_gib * GIB:
            raise _permanent(
                "The image is larger than the disk.",
                f"image {spec.image_id}: {size} bytes, disk: {spec.size_gib} GiB",
            )
        return size


def _permanent(message: str, detail: str) -> HostError:
    return HostError(message, detail=detail, permanent=True)
