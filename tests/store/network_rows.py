"""Networks, subnets and ports to put into a region's store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hanok.model.network import Network, Subnet
from hanok.model.port import Port
from tests.region_store import MINE, NOW, uuid


def a_network(number: int, **changes: Any) -> Network:
    made = Network(
        id=uuid(number),
        project_id=MINE,
        name=f"network-{number}",
        description="",
        status="ACTIVE",
        admin_state_up=True,
        shared=False,
        external=False,
        mtu=1450,
        cidr=None,
        created_at=NOW + number,
        updated_at=NOW + number,
    )
    return replace(made, **changes)


def a_subnet(number: int, network_id: str, **changes: Any) -> Subnet:
    made = Subnet(
        id=uuid(number),
        network_id=network_id,
        project_id=MINE,
        name=f"subnet-{number}",
        description="",
        cidr="10.0.0.0/24",
        gateway_ip="10.0.0.1",
        enable_dhcp=True,
        dns_nameservers=[],
        allocation_pools=[{"start": "10.0.0.2", "end": "10.0.0.254"}],
        created_at=NOW + number,
        updated_at=NOW + number,
    )
    return replace(made, **changes)


def a_port(number: int, network_id: str, **changes: Any) -> Port:
    """A port; its MAC is one that no port gets by itself."""
    made = Port(
        id=uuid(number),
        network_id=network_id,
        project_id=MINE,
        name=f"port-{number}",
        description="",
        mac_address=f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}",
        admin_state_up=True,
        status="DOWN",
        device_id="",
        device_owner="",
        server_id=None,
        position=0,
        created_for_server=False,
        host_id=None,
        created_at=NOW + number,
        updated_at=NOW + number,
    )
    return replace(made, **changes)
