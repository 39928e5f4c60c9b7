"""What a project may have, and what it has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    """A project's limits (Nova's defaults); -1 is no limit. Memory in MiB."""

    instances: int = 10
    cores: int = 20
    ram_mib: int = 51_200
    metadata_items: int = 128
    key_pairs: int = 100
    server_groups: int = 10
    server_group_members: int = 10


@dataclass(frozen=True, slots=True)
class Usage:
    """What a project's servers take. Memory in MiB."""

    instances: int
    cores: int
    ram_mib: int
