"""What a project may have on the network service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hanok.model.errors import Conflict


@dataclass(frozen=True, slots=True)
class NetworkQuota:
    """A project's limits, by Neutron's names and with its defaults; -1 is no limit."""

    network: int = 100
    subnet: int = 100
    port: int = 500
    security_group: int = 10
    security_group_rule: int = 100


class OverQuota(Conflict):
    """The project's quota of networks, ports or the like does not allow it: 409 (Neutron)."""

    def __init__(self, kinds: Iterable[str]) -> None:
        super().__init__(f"Quota exceeded for resources: {sorted(kinds)}.")
