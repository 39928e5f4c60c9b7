"""Volumes: disks that tenants own, their types, and where they are attached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume; its size in GiB."""

    id: str
    project_id: str
    user_id: str
    name: str
    description: str | None
    status: str
    size_gib: int
    volume_type: str
    availability_zone: str
    host_id: str | None
    bootable: bool
    image_id: str | None
    image_metadata: dict[str, Any]
    metadata: dict[str, str]
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class VolumeType:
    """A kind of volume."""

    id: str
    name: str
    description: str | None
    is_public: bool
    extra_specs: dict[str, str]
    position: int


@dataclass(frozen=True, slots=True)
class VolumeAttachment:
    """Where a volume is attached; `device` without /dev/ (vda)."""

    volume_id: str
    server_id: str
    device: str
    boot_index: int | None
    delete_on_termination: bool
    attached_at: int


@dataclass(frozen=True, slots=True)
class VolumeUsage:
    """What a project's volumes take: how many they are, and their sizes added up, in GiB."""

    volumes: int
    size_gib: int
