"""Ports and their addresses: made, lent to servers, let go."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from hanok.model.errors import Conflict, NotFound
from hanok.model.network import Subnet
from hanok.model.port import FixedIp, Port
from hanok.store import networks
from hanok.store.columns import json_rows
from hanok.store.database import Reader, Transaction
from hanok.store.region_tables import fixed_ips, port_security_groups, ports

_names = [f.name for f in fields(Port) if f.name not in ("fixed_ips", "group_ids")]
_ips = (
    select(json_rows({"subnet_id": fixed_ips.c.subnet_id, "address": fixed_ips.c.address}))
    .where(fixed_ips.c.port_id == ports.c.id)
    .correlate(ports)
    .scalar_subquery()
)
_groups = (
    select(json_rows({"id": port_security_groups.c.security_group_id}))
    .where(port_security_groups.c.port_id == ports.c.id)
    .correlate(ports)
    .scalar_subquery()
)
_ports = select(*[ports.c[name] for name in _names], _ips.label("ips"), _groups.label("groups"))
_one = _ports.where(ports.c.id == bindparam("id"))
_mine = _ports.where(ports.c.server_id == bindparam("server")).order_by(ports.c.position)


@dataclass(frozen=True, slots=True)
class Allocation:
    """A port to be made for a server: where, with which address (None: the lowest free one)."""

    port_id: str
    network_id: str
    subnet_id: str | None
    address: str | None
    project_id: str
    server_id: str | None
    position: int
    group_ids: tuple[str, ...]


def _to_port(row: Row[Any]) -> Port:
    *values, ips, groups = tuple(row)
    addresses = tuple(FixedIp(**ip) for ip in ips)
    group_ids = tuple(group["id"] for group in groups)
    return Port(**dict(zip(_names, values, strict=True)), fixed_ips=addresses, group_ids=group_ids)


def get(reader: Reader, port_id: str) -> Port | None:
    """Return a port of any project."""
    row = reader.first(_one, {"id": port_id})
    return None if row is None else _to_port(row)


def of_server(reader: Reader, server_id: str) -> list[Port]:
    """Return a server's ports in their order."""
    return [_to_port(row) for row in reader.rows(_mine, {"server": server_id})]


def address_taken(reader: Reader, subnet_id: str, address: str) -> bool:
    """Tell whether an address of a subnet has a port."""
    statement = select(fixed_ips.c.port_id).where(
        fixed_ips.c.subnet_id == subnet_id, fixed_ips.c.address == address
    )
    return reader.scalar(statement) is not None


def allocate(tx: Transaction, wanted: Allocation, now: int) -> Port:
    """Make a port with an address; the same port again is described again.

    Raises Conflict when the address is taken or the subnets have none left.
    """
    known = get(tx, wanted.port_id)
    if known is not None:
        return known
    candidates = networks.subnets_of(tx, wanted.network_id)
    if wanted.subnet_id is not None:
        candidates = [subnet for subnet in candidates if subnet.id == wanted.subnet_id]
    subnet, address = _choose(tx, candidates, wanted)
    tx.run(
        insert(ports).values(
            id=wanted.port_id,
            network_id=wanted.network_id,
            project_id=wanted.project_id,
            name="",
            description="",
            mac_address=_mac(wanted.port_id),
            admin_state_up=True,
            status="DOWN",
            device_id=wanted.server_id or "",
            device_owner="compute:nova" if wanted.server_id else "",
            server_id=wanted.server_id,
            position=wanted.position,
            created_for_server=wanted.server_id is not None,
            created_at=now,
            updated_at=now,
        )
    )
    tx.run(insert(fixed_ips).values(subnet_id=subnet.id, address=address, port_id=wanted.port_id))
    if wanted.group_ids:
        tx.run(
            insert(port_security_groups),
            [{"port_id": wanted.port_id, "security_group_id": g} for g in wanted.group_ids],
        )
    made = get(tx, wanted.port_id)
    assert made is not None  # noqa: S101 - just stored, in this transaction
    return made


def _mac(port_id: str) -> str:
    """Derive a MAC of OpenStack's range from 24 random bits of the port's id."""
    digits = port_id.replace("-", "")[:6]
    return f"fa:16:3e:{digits[:2]}:{digits[2:4]}:{digits[4:6]}"


def _choose(tx: Transaction, candidates: list[Subnet], wanted: Allocation) -> tuple[Subnet, str]:
    for subnet in candidates:
        statement = select(fixed_ips.c.address).where(fixed_ips.c.subnet_id == subnet.id)
        taken = {row.address for row in tx.rows(statement)}
        if wanted.address is not None:
            if wanted.address not in taken:
                return subnet, wanted.address
            continue
        for address in _pool(subnet):
            if address not in taken:
                return subnet, address
    if wanted.address is not None:
        raise Conflict(f"Fixed IP address {wanted.address} is already in use.")
    raise Conflict(f"No more IP addresses available on network {wanted.network_id}.")


def _pool(subnet: Subnet) -> Iterator[str]:
    for pool in subnet.allocation_pools:
        start = int(ipaddress.IPv4Address(pool["start"]))
        end = int(ipaddress.IPv4Address(pool["end"]))
        for number in range(start, end + 1):
            yield str(ipaddress.IPv4Address(number))


def attach(tx: Transaction, port_id: str, *, server_id: str, position: int, now: int) -> Port:
    """Lend an existing port to a server; raises Conflict when another one has it."""
    port = get(tx, port_id)
    if port is None:
        raise NotFound(f"Port {port_id} could not be found.")
    if port.server_id not in (None, server_id):
        raise Conflict(f"Port {port_id} is still in use.")
    tx.run(
        update(ports)
        .where(ports.c.id == port_id)
        .values(
            server_id=server_id,
            device_id=server_id,
            device_owner="compute:nova",
            position=position,
            updated_at=now,
        )
    )
    return port


def bind(tx: Transaction, port_id: str, *, host_id: str | None, status: str, now: int) -> None:
    """Note the host on which a port is plugged, and its status."""
    tx.run(
        update(ports)
        .where(ports.c.id == port_id)
        .values(host_id=host_id, status=status, updated_at=now)
    )


def let_go(tx: Transaction, port_id: str, server_id: str, now: int) -> None:
    """Take a port from a server: one made for it goes, a lent one is free again."""
    port = get(tx, port_id)
    if port is None or port.server_id != server_id:
        return
    if port.created_for_server:
        tx.run(delete(ports).where(ports.c.id == port_id))
        return
    tx.run(
        update(ports)
        .where(ports.c.id == port_id)
        .values(
            server_id=None,
            device_id="",
            device_owner="",
            host_id=None,
            status="DOWN",
            updated_at=now,
        )
    )


_projects = _ports.where(ports.c.project_id == bindparam("project")).order_by(
    ports.c.created_at, ports.c.id
)


def of_project(reader: Reader, project_id: str) -> list[Port]:
    """Return a project's ports: one statement."""
    return [_to_port(row) for row in reader.rows(_projects, {"project": project_id})]
