"""What a request decided, as the journal keeps it: every id chosen, every reference resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hanok.model.volume import Volume


@dataclass(frozen=True, slots=True)
class NicIntent:
    """One interface to be: a new port, or an `existing` one that is lent to the server."""

    port_id: str
    network_id: str
    position: int
    subnet_id: str | None = None
    address: str | None = None
    existing: bool = False


@dataclass(frozen=True, slots=True)
class DiskIntent:
    """A disk to be: a volume, or the server's own local disk; `image_id` None makes it blank.

    `boot_index` 0 is the root disk, anything else is never booted from.
    """

    disk_id: str
    destination: str
    size_gib: int
    device: str
    boot_index: int | None = None
    image_id: str | None = None
    image_format: str | None = None
    volume_type: str = ""
    delete_on_termination: bool = False

    @property
    def spec(self) -> dict[str, Any]:
        """The argument of `storage.create_disk` (`drivers.base.DiskSpec`)."""
        return {
            "disk_id": self.disk_id,
            "size_gib": self.size_gib,
            "image_id": self.image_id,
            "image_format": self.image_format,
        }


@dataclass(frozen=True, slots=True)
class ServerIntent:
    """A server to be. `zone` None: any."""

    server_id: str
    project_id: str
    user_id: str
    name: str
    hostname: str
    vcpus: int
    ram_mib: int
    zone: str | None
    image_id: str
    disks: tuple[DiskIntent, ...]
    nics: tuple[NicIntent, ...]
    group_ids: tuple[str, ...] = ()
    key_name: str | None = None
    public_key: str | None = None
    launch_index: int = 0
    metadata: dict[str, str] = field(default_factory=dict)
    image_metadata: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> DiskIntent:
        """The disk that is booted from."""
        return self.disks[0]

    def volume(self, disk: DiskIntent, host_id: str, zone: str, now: int) -> Volume:
        """Return the row of a disk that is a volume, not yet made."""
        return Volume(
            id=disk.disk_id,
            project_id=self.project_id,
            user_id=self.user_id,
            name="",
            description="",
            status="creating",
            size_gib=disk.size_gib,
            volume_type=disk.volume_type,
            availability_zone=zone,
            host_id=host_id,
            bootable=disk.image_id is not None,
            image_id=disk.image_id,
            image_metadata=self.image_metadata if disk.image_id == self.image_id else {},
            metadata={},
            created_at=now,
            updated_at=now,
        )
