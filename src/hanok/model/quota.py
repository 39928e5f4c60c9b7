"""What a project may have, and what it has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    """A project's limits (Nova's defaults); -1 is no limit. Memory in MiB, sizes in bytes.

    Counted against are instances, cores, ram_mib, metadata_items and, for each user, key_pairs;
    the others are kept and shown, as Nova does for what other services limit.
    """

    instances: int = 10
    cores: int = 20
    ram_mib: int = 51_200
    metadata_items: int = 128
    key_pairs: int = 100
    server_groups: int = 10
    server_group_members: int = 10
    injected_files: int = 5
    injected_file_content_bytes: int = 10_240
    injected_file_path_bytes: int = 255
    fixed_ips: int = -1
    floating_ips: int = -1
    security_groups: int = -1
    security_group_rules: int = -1


@dataclass(frozen=True, slots=True)
class Usage:
    """What a project's servers take. Memory in MiB."""

    instances: int
    cores: int
    ram_mib: int
