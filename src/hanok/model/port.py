"""Ports: an interface's MAC and addresses on a network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FixedIp:
    """An address of a port."""

    subnet_id: str
    address: str


@dataclass(frozen=True, slots=True)
class Port:
    """A port with its addresses and security groups."""

    id: str
    network_id: str
    project_id: str
    name: str
    description: str
    mac_address: str
    admin_state_up: bool
    status: str
    device_id: str
    device_owner: str
    server_id: str | None
    position: int
    created_for_server: bool
    host_id: str | None
    created_at: int
    updated_at: int
    fixed_ips: tuple[FixedIp, ...] = ()
    group_ids: tuple[str, ...] = ()
