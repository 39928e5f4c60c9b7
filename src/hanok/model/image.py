"""An image: bytes that a disk can start from, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

STATUSES = ("queued", "saving", "active", "killed", "deleted", "pending_delete")
VISIBILITIES = ("community", "public", "private", "shared")
DISK_FORMATS = ("raw", "qcow2")
CONTAINER_FORMATS = ("bare",)


@dataclass(frozen=True, slots=True)
class Image:
    """An image; sizes in bytes, minima in GiB and MiB. `project_id` None: the cloud's own."""

    id: str
    name: str | None
    project_id: str | None
    status: str
    visibility: str
    protected: bool
    disk_format: str | None
    container_format: str | None
    size_bytes: int | None
    virtual_bytes: int | None
    checksum: str | None
    min_disk_gib: int
    min_ram_mib: int
    properties: dict[str, Any]
    tags: list[str]
    created_at: int
    updated_at: int
