"""How networks and subnets look as NHN Cloud's VPCs, VPC subnets and routing tables.

A VPC has one routing table, its default one, without a gateway and without routes: it is worked
out from the VPC, nothing of it is stored. Only rows read together are needed for a view.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from hanok.model.moments import iso
from hanok.model.network import Network, Subnet, pool_size, whole_cidr


@dataclass(frozen=True, slots=True)
class Inside:
    """What a view shows of a network's inside: its subnets, and how many addresses each has taken.

    `subnets` are the network's, the oldest first.
    """

    network: Network
    subnets: list[Subnet]
    taken: dict[str, int]


def vpc(one: Network, inside: Inside) -> dict[str, Any]:
    """Return a VPC as lists show it."""
    return {
        "id": one.id,
        "name": one.name,
        "tenant_id": one.project_id,
        "state": "available",
        "shared": one.shared,
        "router:external": one.external,
        "cidrv4": whole_cidr(one, inside.subnets),
        "create_time": _time(one.created_at),
    }


def vpc_detail(one: Network, inside: Inside) -> dict[str, Any]:
    """Return a VPC with its routing table and its subnets."""
    table = routing_table(one, inside)
    names = ("id", "name", "default_table")
    return {
        **vpc(one, inside),
        "routingtables": [{name: table[name] for name in names}],
        "subnets": [vpc_subnet(subnet, inside) for subnet in inside.subnets],
    }


def vpc_subnet(one: Subnet, inside: Inside) -> dict[str, Any]:
    """Return a VPC subnet; `available_ip_count` is of the allocation pools."""
    network = inside.network
    whole = vpc(network, inside)
    return {
        "id": one.id,
        "name": one.name,
        "tenant_id": one.project_id,
        "vpc_id": one.network_id,
        "vpc": {name: whole[name] for name in ("id", "name", "cidrv4", "state", "shared")},
        "cidr": one.cidr,
        "gateway": one.gateway_ip,
        "enable_dhcp": one.enable_dhcp,
        "available_ip_count": max(0, pool_size(one) - inside.taken.get(one.id, 0)),
        "state": "available",
        "shared": network.shared,
        "router:external": network.external,
        "routingtable": {
            "id": table_id(network.id),
            "name": _table_name(network),
            "gateway_id": None,
            "default_table": True,
            "explicit": False,
        },
        "routes": [],
        "create_time": _time(one.created_at),
    }


def routing_table(one: Network, _inside: Inside) -> dict[str, Any]:
    """Return a VPC's routing table as lists show it, and the VPC's id."""
    return {
        "id": table_id(one.id),
        "name": _table_name(one),
        "tenant_id": one.project_id,
        "default_table": True,
        "distributed": True,
        "gateway_id": None,
        "gateway_name": None,
        "vpc_id": one.id,
        "state": "available",
        "create_time": _time(one.created_at),
    }


def routing_table_detail(one: Network, inside: Inside) -> dict[str, Any]:
    """Return a VPC's routing table with the ids of what it is for."""
    return {
        **routing_table(one, inside),
        "vpcs": [one.id],
        "subnets": [subnet.id for subnet in inside.subnets],
        "routes": [],
    }


def table_id(network_id: str) -> str:
    """Return the id of a VPC's routing table: the same at each look."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"hanok/routing-table/{network_id}"))


def _table_name(one: Network) -> str:
    return f"vpc-{one.id[:13]}"


def _time(moment: int) -> str:
    """Write a moment as 2026-01-31 12:00:00, as NHN Cloud's network service does."""
    return str(iso(moment)).replace("T", " ").removesuffix("Z")
