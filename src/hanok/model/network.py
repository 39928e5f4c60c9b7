"""Networks and their subnets."""

from __future__ import annotations

from dataclasses import dataclass

from hanok.model.errors import Invalid


@dataclass(frozen=True, slots=True)
class Network:
    """A network; `mtu` in bytes, `cidr` only of what was made as a VPC."""

    id: str
    project_id: str
    name: str
    description: str
    status: str
    admin_state_up: bool
    shared: bool
    external: bool
    mtu: int
    cidr: str | None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet; `allocation_pools` are {start, end} pairs of addresses."""

    id: str
    network_id: str
    project_id: str
    name: str
    description: str
    cidr: str
    gateway_ip: str | None
    enable_dhcp: bool
    dns_nameservers: list[str]
    allocation_pools: list[dict[str, str]]
    created_at: int
    updated_at: int


class InvalidInput(Invalid):
    """What is asked for makes no sense on this network."""
