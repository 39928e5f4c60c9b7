"""A host: what it can hold and what is taken."""

from __future__ import annotations

from dataclasses import dataclass

TRANSLATION_CACHE_MIB = 64
"""QEMU's translation cache as Hanok's domains set it; QEMU's own default is 1 GiB."""


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that runs domains. Capacities are what may be claimed, ratios already applied.

    `state` is joining (not yet proven), up, or down (does not answer); `seen_at` is since when.
    """

    id: str
    name: str
    driver: str
    accel: str
    state: str
    vcpus: int
    ram_mib: int
    disk_gib: int
    used_vcpus: int
    used_ram_mib: int
    used_disk_gib: int
    seen_at: int
    zones: tuple[str, ...] = ()

    @property
    def overhead_mib(self) -> int:
        """Memory that a domain takes beside its own: under TCG, the translation cache."""
        return TRANSLATION_CACHE_MIB if self.accel == "tcg" else 0


@dataclass(frozen=True, slots=True)
class Claim:
    """Capacity that a server holds on a host."""

    vcpus: int
    ram_mib: int
    disk_gib: int
