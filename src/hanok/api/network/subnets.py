"""Subnets: create, change, delete; IPv4 only.

A change of gateway, DHCP or name servers reaches a host when a port of the network is next plugged
there.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import msgspec

from hanok.api._call import Answer, Call, Endpoint
from hanok.api.network import views
from hanok.api.network.attributes import STANDARD, Attributes
from hanok.api.network.collections import Missing
from hanok.api.network.fields import Flag, Short, check_project, check_uuids, flag
from hanok.api.network.networks import own
from hanok.model.errors import Conflict, Invalid
from hanok.model.network import (
    Network,
    Subnet,
    check_overlap,
    checked_pools,
    default_pools,
    gateway_address,
    ipv4_address,
    ipv4_network,
)
from hanok.model.port import AddressTaken
from hanok.store import network_quotas, networks, ports
from hanok.store.database import Transaction

_MOST_SERVERS = 5
"""Name servers of one subnet at most (Neutron's `max_dns_nameservers`)."""


class _Pool(msgspec.Struct, forbid_unknown_fields=True):
    start: Short
    end: Short


class _Fields(msgspec.Struct):
    name: Short | None = None
    description: Short | None = None
    gateway_ip: Short | msgspec.UnsetType | None = msgspec.UNSET
    enable_dhcp: Flag = None
    dns_nameservers: list[Short] | None = None
    allocation_pools: list[_Pool] | None = None


class _New(_Fields, kw_only=True):
    network_id: Short
    ip_version: int | str
    cidr: Short | None = None
    tenant_id: str | None = None
    project_id: str | None = None


_ATTRIBUTES = Attributes(
    "subnet",
    _New,
    _Fields,
    shown=STANDARD | {"shared", "router:external"},
    fixed={
        "dns_publish_fixed_ip": False,
        "host_routes": [],
        "ipv6_address_mode": None,
        "ipv6_ra_mode": None,
        "prefixlen": None,
        "segment_id": None,
        "service_types": [],
        "subnetpool_id": None,
        "use_default_subnetpool": False,
    },
    settled=frozenset(
        {
            "ipv6_address_mode",
            "ipv6_ra_mode",
            "prefixlen",
            "subnetpool_id",
            "use_default_subnetpool",
        }
    ),
)


class CidrMissing(Invalid):
    """A subnet is asked for without its addresses."""

    neutron_type = "BadRequest"

    def __init__(self) -> None:
        super().__init__(
            "Bad subnets request: a subnetpool must be specified in the absence of a cidr."
        )


class SubnetInUse(Conflict):
    """Ports have addresses of the subnet."""

    neutron_type = "SubnetInUse"

    def __init__(self, subnet_id: str) -> None:
        super().__init__(
            f"Unable to complete operation on subnet {subnet_id}: One or more ports have an IP "
            "allocation from this subnet."
        )


def create(call: Call) -> Answer:
    """Serve POST subnets: 201; the gateway is the first address, unless said or null."""
    asked = _ATTRIBUTES.to_create(call.body)
    check_project(call.credentials, asked.tenant_id, asked.project_id)
    check_uuids("network_id", [asked.network_id])
    if str(asked.ip_version) != "4":
        raise Invalid("Invalid input for ip_version. Reason: only IPv4 is offered.")
    if asked.cidr is None:
        raise CidrMissing
    cidr = ipv4_network("cidr", asked.cidr)
    if asked.gateway_ip is msgspec.UNSET:
        asked.gateway_ip = str(cidr[1])
    values = {"name": "", "description": "", **_values(cidr, asked)}
    if "allocation_pools" not in values:
        values["allocation_pools"] = default_pools(cidr, values["gateway_ip"])
    with call.region.store.write() as tx:
        network = hold_network(tx, call, asked.network_id)
        subnet = add(tx, call, network, cidr, values)
    return Answer(201, {"subnet": views.subnet(subnet, None)})


def hold_network(tx: Transaction, call: Call, network_id: str) -> Network:
    """Return the caller's network with room for a subnet; nobody else changes it meanwhile."""
    network_quotas.take(tx, call.credentials.project_id, "subnet")
    networks.lock(tx, network_id)
    return own(tx, call, network_id)


def add(
    tx: Transaction,
    call: Call,
    network: Network,
    cidr: ipaddress.IPv4Network,
    values: dict[str, Any],
) -> Subnet:
    """Store a new subnet of a network that is held; raises InvalidInput where it overlaps."""
    check_overlap(network.id, cidr, networks.subnets_of(tx, network.id))
    now = call.region.clock.now()
    defaults: dict[str, Any] = {"enable_dhcp": True, "dns_nameservers": []}
    subnet = Subnet(
        **{**defaults, **values},
        id=call.region.clock.new_id(),
        network_id=network.id,
        project_id=network.project_id,
        cidr=str(cidr),
        created_at=now,
        updated_at=now,
    )
    networks.add_subnet(tx, subnet)
    return subnet


def update(call: Call) -> Answer:
    """Serve PUT subnets/{id}: all but network and CIDR."""
    asked = _ATTRIBUTES.to_change(call.body)
    with call.region.store.write() as tx:
        subnet = own_subnet(tx, call)
        networks.lock(tx, subnet.network_id)
        cidr = ipaddress.IPv4Network(subnet.cidr)
        if asked.gateway_ip is msgspec.UNSET:
            asked.gateway_ip = subnet.gateway_ip
        if asked.allocation_pools is None:
            asked.allocation_pools = [
                _Pool(pool["start"], pool["end"]) for pool in subnet.allocation_pools
            ]
        values = _values(cidr, asked)
        gateway = values["gateway_ip"]
        if gateway not in (None, subnet.gateway_ip) and ports.address_taken(tx, subnet.id, gateway):
            raise AddressTaken(gateway)
        networks.change_subnet(tx, subnet.id, values, call.region.clock.now())
        subnet = own_subnet(tx, call)
    return Answer(200, {"subnet": views.subnet(subnet, None)})


def delete(call: Call) -> Answer:
    """Serve DELETE subnets/{id} and vpcsubnets/{id}: 204."""
    with call.region.store.write() as tx:
        subnet = own_subnet(tx, call)
        if not networks.remove_subnet(tx, subnet):
            raise SubnetInUse(subnet.id)
    return Answer(204)


def own_subnet(tx: Transaction, call: Call) -> Subnet:
    """Return the subnet that the path names, of a network that the caller may change."""
    subnet = networks.subnet(tx, call.credentials.project_id, call.params["id"])
    if subnet is None:
        raise Missing("Subnet", "Subnet", call.params["id"])
    own(tx, call, subnet.network_id)
    return subnet


def _values(cidr: ipaddress.IPv4Network, asked: _Fields) -> dict[str, Any]:
    """Check the fields that may change and return what is given of them."""
    gateway = asked.gateway_ip
    values: dict[str, Any] = {
        "gateway_ip": gateway_address(cidr, gateway) if isinstance(gateway, str) else None
    }
    for name in ("name", "description"):
        if getattr(asked, name) is not None:
            values[name] = getattr(asked, name)
    if asked.enable_dhcp is not None:
        values["enable_dhcp"] = flag("enable_dhcp", asked.enable_dhcp, True)
    if asked.dns_nameservers is not None:
        found = [str(ipv4_address("dns_nameservers", one)) for one in asked.dns_nameservers]
        if len(found) > _MOST_SERVERS or len(set(found)) < len(found):
            raise Invalid(
                f"Invalid input for dns_nameservers. Reason: at most {_MOST_SERVERS}, each once."
            )
        values["dns_nameservers"] = found
    if asked.allocation_pools is not None:
        pairs = [(pool.start, pool.end) for pool in asked.allocation_pools]
        values["allocation_pools"] = checked_pools(cidr, values["gateway_ip"], pairs)
    return values


ENDPOINTS = (
    Endpoint("POST", "/v2.0/subnets", create, "networks:write"),
    Endpoint("PUT", "/v2.0/subnets/{id}", update, "networks:write"),
    Endpoint("DELETE", "/v2.0/subnets/{id}", delete, "networks:write"),
)
