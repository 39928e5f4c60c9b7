"""A flavor: how large a server is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flavor:
    """A size; memory and swap in MiB, disks in GiB. `disk_gib` 0: the root disk is a volume."""

    id: str
    name: str
    vcpus: int
    ram_mib: int
    disk_gib: int
    ephemeral_gib: int
    swap_mib: int
    rxtx_factor: float
    is_public: bool
    disabled: bool
    extra_specs: dict[str, str]
    created_at: int
