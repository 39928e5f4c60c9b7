"""NHN Cloud's VPCs and VPC subnets: networks and subnets under the same ids, and routing tables."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hanok.api._call import Answer, Call, Endpoint
from hanok.api.network import networks as network_endpoints
from hanok.api.network import subnets as subnet_endpoints
from hanok.api.network import vpc_views
from hanok.api.network.attributes import Attributes
from hanok.api.network.collections import Collection, Only
from hanok.api.network.fields import Short, check_project, check_uuids
from hanok.api.network.vpc_views import Inside
from hanok.model.errors import Invalid
from hanok.model.network import InvalidInput, default_pools, ipv4_network
from hanok.store import addresses, networks
from hanok.store.database import Reader

_Pair = tuple[Any, Any]


class _Vpc(msgspec.Struct):
    name: Short
    cidrv4: Short
    tenant_id: str | None = None
    project_id: str | None = None


class _Change(msgspec.Struct):
    name: Short | None = None
    cidrv4: Short | None = None


class _Subnet(msgspec.Struct):
    vpc_id: Short
    cidr: Short
    name: Short
    tenant_id: str | None = None
    project_id: str | None = None


class _Rename(msgspec.Struct):
    name: Short | None = None


_SHOWN = frozenset({"id", "state", "shared", "router:external", "create_time"})
_VPC_ATTRIBUTES = Attributes(
    "vpc",
    _Vpc,
    _Change,
    shown=_SHOWN | {"routingtables", "subnets"},
    fixed={"external_network_id": None},
    settled=frozenset({"external_network_id"}),
)
_SUBNET_ATTRIBUTES = Attributes(
    "vpcsubnet",
    _Subnet,
    _Rename,
    shown=_SHOWN
    | {"vpc", "gateway", "enable_dhcp", "available_ip_count", "routingtable", "routes"},
)


def _all(reader: Reader, project_id: str) -> list[Inside]:
    subnets = networks.all_subnets(reader, project_id)
    taken = addresses.counts(reader, [one.id for one in subnets])
    return [
        Inside(network, [one for one in subnets if one.network_id == network.id], taken)
        for network in networks.visible(reader, project_id)
    ]


def _inside(reader: Reader, project_id: str, network_id: str) -> Inside | None:
    network = networks.network(reader, project_id, network_id)
    if network is None:
        return None
    subnets = networks.subnets_of(reader, network_id)
    return Inside(network, subnets, addresses.counts(reader, [one.id for one in subnets]))


def _vpcs(reader: Reader, project_id: str, _only: Only) -> Sequence[_Pair]:
    return [(one.network, one) for one in _all(reader, project_id)]


def _vpc(reader: Reader, project_id: str, wanted: str) -> _Pair | None:
    one = _inside(reader, project_id, wanted)
    return None if one is None else (one.network, one)


def _subnets(reader: Reader, project_id: str, _only: Only) -> Sequence[_Pair]:
    return [(subnet, one) for one in _all(reader, project_id) for subnet in one.subnets]


def _subnet(reader: Reader, project_id: str, wanted: str) -> _Pair | None:
    subnet = networks.subnet(reader, project_id, wanted)
    one = None if subnet is None else _inside(reader, project_id, subnet.network_id)
    return None if one is None else (subnet, one)


def _table(reader: Reader, project_id: str, wanted: str) -> _Pair | None:
    pairs = _vpcs(reader, project_id, {})
    return next((pair for pair in pairs if vpc_views.table_id(pair[0].id) == wanted), None)


_USUAL = ("id", "name", "tenant_id", "state", "create_time")
# The links' further names are where NHN Cloud's Terraform provider looks for them.
VPCS = Collection(
    *("vpcs", "vpc", "Vpc", "VPC"),
    _vpcs,
    _vpc,
    vpc_views.vpc,
    detail=vpc_views.vpc_detail,
    sorts=(*_USUAL, "shared", "router:external", "cidrv4"),
    links=("networks",),
)
SUBNETS = Collection(
    *("vpcsubnets", "vpcsubnet", "VpcSubnet", "VPC subnet"),
    _subnets,
    _subnet,
    vpc_views.vpc_subnet,
    sorts=(*_USUAL, "vpc_id", "cidr", "gateway", "shared", "available_ip_count"),
    links=("subnets",),
)
TABLES = Collection(
    *("routingtables", "routingtable", "RoutingTable", "Routing table"),
    _vpcs,
    _table,
    vpc_views.routing_table,
    detail=vpc_views.routing_table_detail,
    sorts=(*_USUAL, "default_table"),
    links=("networks",),
    unseen=frozenset({"vpc_id"}),
)


def create(call: Call) -> Answer:
    """Serve POST vpcs: 201; `cidrv4` bounds the VPC's subnets."""
    asked = _VPC_ATTRIBUTES.to_create(call.body)
    check_project(call.credentials, asked.tenant_id, asked.project_id)
    _check_name(asked.name)
    cidr = ipv4_network("cidrv4", asked.cidrv4)
    network = network_endpoints.add(
        call, {"name": asked.name, "description": "", "cidr": str(cidr)}
    )
    return Answer(201, {"vpc": vpc_views.vpc_detail(network, Inside(network, [], {}))})


def update(call: Call) -> Answer:
    """Serve PUT vpcs/{id}: 200; a new `cidrv4` holds all of the VPC's subnets."""
    asked = _VPC_ATTRIBUTES.to_change(call.body)
    values: dict[str, Any] = {}
    if asked.name is not None:
        values["name"] = _check_name(asked.name)
    with call.region.store.write() as tx:
        network = network_endpoints.own(tx, call, call.params["id"])
        networks.lock(tx, network.id)
        if asked.cidrv4 is not None:
            cidr = ipv4_network("cidrv4", asked.cidrv4)
            for subnet in networks.subnets_of(tx, network.id):
                if not ipaddress.IPv4Network(subnet.cidr).subnet_of(cidr):
                    raise InvalidInput(f"The subnet {subnet.cidr} is not within {cidr}.")
            values["cidr"] = str(cidr)
        networks.change(tx, network.id, values, call.region.clock.now())
    return VPCS.show(call)


def create_subnet(call: Call) -> Answer:
    """Serve POST vpcsubnets: 201; the gateway is the first address.

    The subnet lies within the VPC (NHN Cloud); `POST subnets` knows no such bound (Neutron).
    """
    asked = _SUBNET_ATTRIBUTES.to_create(call.body)
    check_project(call.credentials, asked.tenant_id, asked.project_id)
    check_uuids("vpc_id", [asked.vpc_id])
    cidr = ipv4_network("cidr", asked.cidr)
    gateway = str(cidr[1])
    values = {
        "name": _check_name(asked.name),
        "description": "",
        "gateway_ip": gateway,
        "allocation_pools": default_pools(cidr, gateway),
    }
    with call.region.store.write() as tx:
        network = subnet_endpoints.hold_network(tx, call, asked.vpc_id)
        if network.cidr is not None and not cidr.subnet_of(ipaddress.IPv4Network(network.cidr)):
            raise InvalidInput(f"The cidr {cidr} is not within the VPC's {network.cidr}.")
        subnet = subnet_endpoints.add(tx, call, network, cidr, values)
        inside = Inside(network, networks.subnets_of(tx, network.id), {})
    return Answer(201, {"vpcsubnet": vpc_views.vpc_subnet(subnet, inside)})


def update_subnet(call: Call) -> Answer:
    """Serve PUT vpcsubnets/{id}: the name; 200."""
    asked = _SUBNET_ATTRIBUTES.to_change(call.body)
    values = {} if asked.name is None else {"name": _check_name(asked.name)}
    with call.region.store.write() as tx:
        subnet = subnet_endpoints.own_subnet(tx, call)
        networks.change_subnet(tx, subnet.id, values, call.region.clock.now())
    return SUBNETS.show(call)


def _check_name(name: str) -> str:
    if not name.strip():
        raise Invalid("Invalid input for name. Reason: a VPC and its subnets have a name.")
    return name


def _tables(call: Call) -> Answer:
    """Serve GET routingtables; `detail=true` names the VPC and the subnets of each."""
    answer = TABLES.listed(call)
    if not call.query.flag("detail"):
        return answer
    with call.region.store.read() as reader:
        insides = _all(reader, call.credentials.project_id)
    known = {vpc_views.table_id(one.network.id): one for one in insides}
    for table in answer.body["routingtables"]:
        one = known.get(table.get("id", ""))
        if one is not None:
            table["vpcs"] = [{"id": one.network.id, "name": one.network.name}]
            table["subnets"] = [{"id": s.id, "name": s.name} for s in one.subnets]
    return answer


def _write(method: str, path: str, handler: Callable[[Call], Answer]) -> Endpoint:
    return Endpoint(method, path, handler, "networks:write")


ENDPOINTS = (
    *VPCS.endpoints(),
    *SUBNETS.endpoints(),
    Endpoint("GET", "/v2.0/routingtables", _tables, "networks:read"),
    Endpoint("GET", "/v2.0/routingtables/{id}", TABLES.show, "networks:read"),
    _write("POST", "/v2.0/vpcs", create),
    _write("PUT", "/v2.0/vpcs/{id}", update),
    _write("DELETE", "/v2.0/vpcs/{id}", network_endpoints.delete),
    _write("POST", "/v2.0/vpcsubnets", create_subnet),
    _write("PUT", "/v2.0/vpcsubnets/{id}", update_subnet),
    _write("DELETE", "/v2.0/vpcsubnets/{id}", subnet_endpoints.delete),
)
