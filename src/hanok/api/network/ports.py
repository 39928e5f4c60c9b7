"""Ports: create, change, delete.

What changes here is what the next plug of the port does. Where a running server has the port, its
guest keeps the address that it has, and nothing enforces another address or other groups, until
the server is made anew: there is no way yet to apply a changed port to a host.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hanok.api._call import Answer, Call, Endpoint
from hanok.api.network import views
from hanok.api.network.attributes import STANDARD, Attributes
from hanok.api.network.collections import Missing
from hanok.api.network.failures import PortInUse
from hanok.api.network.fields import Flag, Short, check_project, check_uuids, flag
from hanok.model.errors import Invalid
from hanok.model.port import Asked, FixedIp, MacTaken, Port, Wish, mac_address, wishes
from hanok.model.security_group import DEFAULT
from hanok.store import first_start, network_quotas, networks, ports, security_groups
from hanok.store.database import Reader, Transaction


class _FixedIp(msgspec.Struct):
    subnet_id: Short | None = None
    ip_address: Short | None = None


class _Fields(msgspec.Struct):
    name: Short | None = None
    description: Short | None = None
    admin_state_up: Flag = None
    mac_address: Short | None = None
    fixed_ips: list[_FixedIp] | None = None
    security_groups: list[Short] | msgspec.UnsetType | None = msgspec.UNSET
    device_id: Short | None = None
    device_owner: Short | None = None


class _New(_Fields, kw_only=True):
    network_id: Short
    tenant_id: str | None = None
    project_id: str | None = None


_ATTRIBUTES = Attributes(
    "port",
    _New,
    _Fields,
    shown=STANDARD | {"status", "binding:vif_type", "binding:vif_details"},
    fixed={
        "allowed_address_pairs": [],
        "binding:host_id": None,
        "binding:profile": {},
        "binding:vnic_type": "normal",
        "device_profile": None,
        "dns_domain": "",
        "dns_name": "",
        "extra_dhcp_opts": [],
        "hints": None,
        "numa_affinity_policy": None,
        "port_security_enabled": True,
        "propagate_uplink_status": True,
        "qos_policy_id": None,
    },
    settled=frozenset({"device_profile"}),
)


def create(call: Call) -> Answer:
    """Serve POST ports: 201; without `fixed_ips` one address, without groups the default group."""
    asked = _ATTRIBUTES.to_create(call.body)
    check_project(call.credentials, asked.tenant_id, asked.project_id)
    check_uuids("network_id", [asked.network_id])
    _check_ids(asked)
    clock, project_id = call.region.clock, call.credentials.project_id
    mac = mac_address(asked.mac_address) if asked.mac_address else ""
    up = flag("admin_state_up", asked.admin_state_up, True)
    with call.region.store.write() as tx:
        first_start.ensure_project(tx, clock, project_id)
        network_quotas.take(tx, project_id, "port")
        if networks.network(tx, project_id, asked.network_id) is None:
            raise Missing("Network", "Network", asked.network_id)
        group_ids = _groups(tx, project_id, asked.security_groups)
        wanted = _wishes(tx, asked.network_id, asked.fixed_ips)
        now = clock.now()
        port = Port(
            id=clock.new_id(),
            network_id=asked.network_id,
            project_id=project_id,
            name=asked.name or "",
            description=asked.description or "",
            mac_address=mac,
            admin_state_up=up,
            status="DOWN",
            device_id=asked.device_id or "",
            device_owner=asked.device_owner or "",
            server_id=None,
            position=0,
            created_for_server=False,
            host_id=None,
            created_at=now,
            updated_at=now,
            group_ids=group_ids,
        )
        made = ports.make(tx, port, wanted)
    return Answer(201, {"port": views.port(made, None)})


def update(call: Call) -> Answer:
    """Serve PUT ports/{id}: 200; `fixed_ips` and `security_groups` replace what there is.

    A server keeps its port's MAC and device: 409. For a running server see above.
    """
    asked = _ATTRIBUTES.to_change(call.body)
    _check_ids(asked)
    values = _values(asked)
    region, project_id = call.region, call.credentials.project_id
    with region.store.write() as tx:
        port = _find(tx, call, alone=asked.fixed_ips is not None)
        _check_free(port, values)
        if asked.fixed_ips is not None:
            keep, open_ = _kept(port, asked.fixed_ips)
            known = networks.subnets_of(tx, port.network_id)
            _resolve(port.network_id, known, asked.fixed_ips)
            ports.set_addresses(tx, port, keep, _resolve(port.network_id, known, open_))
        if asked.security_groups is not msgspec.UNSET:
            ports.set_groups(tx, port, _groups(tx, project_id, asked.security_groups))
        if not ports.change(tx, port.id, values, region.clock.now()):
            raise MacTaken(port.network_id, values["mac_address"])
        port = ports.get(tx, port.id) or port
    return Answer(200, {"port": views.port(port, None)})


def delete(call: Call) -> Answer:
    """Serve DELETE ports/{id}: 204.

    A server's port is a 409. Neutron deletes it and Nova takes it out of the guest; nothing would
    do that here, and the guest would go on using an address that the next one is given.
    """
    with call.region.store.write() as tx:
        port = _find(tx, call)
        if port.server_id is not None:
            raise PortInUse(port.id, port.network_id, port.server_id)
        ports.remove(tx, port.id)
    return Answer(204)


def _find(tx: Transaction, call: Call, *, alone: bool = False) -> Port:
    """Lock the caller's port; its network first, as whoever takes addresses does."""
    port_id = call.params["id"]
    port = ports.get_of_project(tx, call.credentials.project_id, port_id)
    if port is not None:
        networks.hold(tx, port.network_id, alone=alone)
        port = ports.lock(tx, port_id)
    if port is None:
        raise Missing("Port", "Port", port_id)
    return port


def _values(asked: _Fields) -> dict[str, Any]:
    given = {
        "name": asked.name,
        "description": asked.description,
        "device_id": asked.device_id,
        "device_owner": asked.device_owner,
        "mac_address": mac_address(asked.mac_address) if asked.mac_address else None,
    }
    values: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    if asked.admin_state_up is not None:
        values["admin_state_up"] = flag("admin_state_up", asked.admin_state_up, True)
    return values


def _check_free(port: Port, values: dict[str, Any]) -> None:
    """Refuse to change what a server's domain is built upon."""
    for name in ("device_id", "device_owner", "mac_address"):
        changed = values.get(name, getattr(port, name)) != getattr(port, name)
        if changed and port.server_id is not None:
            raise PortInUse(port.id, port.network_id, port.server_id)


def _check_ids(asked: _Fields) -> None:
    check_uuids("fixed_ips", [one.subnet_id for one in asked.fixed_ips or () if one.subnet_id])
    groups = asked.security_groups or []
    check_uuids("security_groups", groups)
    twice = sorted({one for one in groups if groups.count(one) > 1})
    if twice:
        raise Invalid(
            "Invalid input for security_groups. Reason: Duplicate items in the list: "
            f"'{', '.join(twice)}'."
        )


def _groups(
    tx: Transaction, project_id: str, asked: Sequence[str] | msgspec.UnsetType | None
) -> tuple[str, ...]:
    """Return the groups asked for: nothing said is the default group, null is none (Neutron)."""
    if asked is msgspec.UNSET:
        return (security_groups.find(tx, project_id, DEFAULT).id,)
    wanted = tuple(asked or ())
    for group_id in sorted(set(wanted) - security_groups.hold(tx, project_id, wanted)):
        raise Missing("SecurityGroup", "Security group", group_id)
    return wanted


def _wishes(reader: Reader, network_id: str, asked: Sequence[_FixedIp] | None) -> tuple[Wish, ...]:
    known = networks.subnets_of(reader, network_id)
    return wishes(network_id, known, None) if asked is None else _resolve(network_id, known, asked)


def _resolve(network_id: str, known: Sequence[Any], asked: Sequence[_FixedIp]) -> tuple[Wish, ...]:
    return wishes(
        network_id, known, [Asked(one.subnet_id or None, one.ip_address or None) for one in asked]
    )


def _kept(port: Port, asked: Sequence[_FixedIp]) -> tuple[list[FixedIp], list[_FixedIp]]:
    """Part what is asked into the addresses that the port has already, and the rest.

    A subnet without an address keeps the address that the port has there (Neutron).
    """
    keep: list[FixedIp] = []
    rest: list[_FixedIp] = []
    for one in sorted(asked, key=lambda one: not one.ip_address):
        same = [
            ip
            for ip in port.fixed_ips
            if ip not in keep
            and one.ip_address in (None, "", ip.address)
            and one.subnet_id in (None, "", ip.subnet_id)
            and (one.ip_address or one.subnet_id)
        ]
        if same:
            keep.append(same[0])
        else:
            rest.append(one)
    return keep, rest


ENDPOINTS = (
    Endpoint("POST", "/v2.0/ports", create, "networks:write"),
    Endpoint("PUT", "/v2.0/ports/{id}", update, "networks:write"),
    Endpoint("DELETE", "/v2.0/ports/{id}", delete, "networks:write"),
)
