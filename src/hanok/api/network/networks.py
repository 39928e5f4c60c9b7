"""Networks: create, change, delete. A host knows a network only while ports are plugged into it."""

from __future__ import annotations

from typing import Any

import msgspec

from hanok.api._call import Answer, Call, Endpoint
from hanok.api.network import views
from hanok.api.network.attributes import STANDARD, Attributes
from hanok.api.network.collections import Missing
from hanok.api.network.fields import Flag, Short, check_project, flag
from hanok.model.errors import Conflict, Forbidden, Invalid
from hanok.model.network import InvalidInput, Network
from hanok.store import first_start, network_quotas, networks
from hanok.store.database import Transaction
from hanok.store.first_start import MTU

_LEAST_MTU = 576
"""What every host accepts (RFC 791)."""


class _Fields(msgspec.Struct):
    name: Short | None = None
    description: Short | None = None
    admin_state_up: Flag = None
    shared: Flag = None
    mtu: int | str | None = None


class _New(_Fields):
    tenant_id: str | None = None
    project_id: str | None = None


_ATTRIBUTES = Attributes(
    "network",
    _New,
    _Fields,
    shown=STANDARD | {"status", "subnets", "availability_zones"},
    fixed={
        "availability_zone_hints": [],
        "dns_domain": "",
        "is_default": False,
        "port_security_enabled": True,
        "provider:network_type": None,
        "provider:physical_network": None,
        "provider:segmentation_id": None,
        "qos_policy_id": None,
        "router:external": False,
        "segments": [],
        "vlan_transparent": False,
    },
    settled=frozenset({"availability_zone_hints", "vlan_transparent"}),
)


class NetworkInUse(Conflict):
    """The network has ports."""

    neutron_type = "NetworkInUse"

    def __init__(self, network_id: str) -> None:
        super().__init__(
            f"Unable to complete operation on network {network_id}. There are one or more ports "
            "still in use on the network."
        )


class SharedInUse(Conflict):
    """Other projects have ports on a shared network."""

    neutron_type = "InvalidSharedSetting"


def create(call: Call) -> Answer:
    """Serve POST networks: 201."""
    asked = _ATTRIBUTES.to_create(call.body)
    check_project(call.credentials, asked.tenant_id, asked.project_id)
    values = {"name": "", "description": "", **_values(call, asked)}
    mtu = _mtu(asked.mtu)
    return Answer(201, {"network": views.network(add(call, {**values, "mtu": mtu}), [])})


def add(call: Call, values: dict[str, Any]) -> Network:
    """Store a new network of the caller's with these fields."""
    clock, project_id = call.region.clock, call.credentials.project_id
    now = clock.now()
    defaults = {"admin_state_up": True, "shared": False, "mtu": MTU, "cidr": None}
    network = Network(
        **{**defaults, **values},
        id=clock.new_id(),
        project_id=project_id,
        status="ACTIVE",
        external=False,
        created_at=now,
        updated_at=now,
    )
    with call.region.store.write() as tx:
        first_start.ensure_project(tx, clock, project_id)
        network_quotas.take(tx, project_id, "network")
        networks.add(tx, network)
    return network


def update(call: Call) -> Answer:
    """Serve PUT networks/{id}: name, description, admin_state_up, shared (administrators)."""
    asked = _ATTRIBUTES.to_change(call.body)
    values = _values(call, asked)
    with call.region.store.write() as tx:
        network = own(tx, call, call.params["id"])
        if asked.mtu is not None and _number(asked.mtu) != network.mtu:
            raise InvalidInput("The mtu of a network cannot be changed.")
        if values.get("shared") is False and network.shared:
            networks.lock(tx, network.id)
            if networks.has_ports(tx, network.id, but_of=network.project_id):
                raise SharedInUse(
                    f"Unable to reconfigure sharing settings for network {network.id}. Multiple "
                    "tenants are using it."
                )
        networks.change(tx, network.id, values, call.region.clock.now())
        network = own(tx, call, network.id)
        subnets = networks.subnets_of(tx, network.id)
    return Answer(200, {"network": views.network(network, subnets)})


def delete(call: Call) -> Answer:
    """Serve DELETE networks/{id} and vpcs/{id}: 204, its subnets go with it."""
    with call.region.store.write() as tx:
        network = own(tx, call, call.params["id"])
        if not networks.remove(tx, network.id):
            raise NetworkInUse(network.id)
    return Answer(204)


def own(tx: Transaction, call: Call, network_id: str) -> Network:
    """Return a network that the caller may change; others' shared ones are a 403 (Neutron)."""
    network = networks.network(tx, call.credentials.project_id, network_id)
    if network is None:
        raise Missing("Network", "Network", network_id)
    if network.project_id != call.credentials.project_id:
        raise Forbidden(f"Network {network_id} belongs to another project.")
    return network


def _values(call: Call, asked: _Fields) -> dict[str, Any]:
    """Return what is given of the fields that may change."""
    values: dict[str, Any] = {}
    for name in ("name", "description"):
        if getattr(asked, name) is not None:
            values[name] = getattr(asked, name)
    if asked.admin_state_up is not None:
        values["admin_state_up"] = flag("admin_state_up", asked.admin_state_up, True)
    if asked.shared is not None:
        values["shared"] = flag("shared", asked.shared, False)
        if values["shared"] and "admin" not in call.credentials.roles:
            raise Forbidden("Policy doesn't allow a network to be shared.")
    return values


def _mtu(asked: int | str | None) -> int:
    value = _number(asked or 0)
    if not value:
        return MTU
    if not _LEAST_MTU <= value <= MTU:
        raise InvalidInput(f"Requested MTU {value} is not between {_LEAST_MTU} and {MTU}.")
    return value


def _number(mtu: int | str) -> int:
    """Read an MTU, which the `openstack` command sends as a string; raises Invalid."""
    if isinstance(mtu, str) and not (mtu.isascii() and mtu.isdigit() and len(mtu) < 10):
        raise Invalid(f"Invalid input for mtu. Reason: '{mtu}' is not an integer.")
    return int(mtu)


ENDPOINTS = (
    Endpoint("POST", "/v2.0/networks", create, "networks:write"),
    Endpoint("PUT", "/v2.0/networks/{id}", update, "networks:write"),
    Endpoint("DELETE", "/v2.0/networks/{id}", delete, "networks:write"),
)
