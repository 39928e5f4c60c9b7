"""Ports and their addresses: made, lent to servers, let go."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from hanok.model.errors import Conflict, NotFound
from hanok.model.port import FixedIp, MacTaken, Port, Wish
from hanok.store import addresses, networks, security_groups
from hanok.store.columns import json_rows
from hanok.store.database import Reader, Transaction
from hanok.store.insert_missing import insert_missing
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
    """A port to be made for a server: where, with which address (None: the lowest free one).

    `zone` is the server's availability zone, which the port's owner names; the default is Nova's.
    """

    port_id: str
    network_id: str
    subnet_id: str | None
    address: str | None
    project_id: str
    server_id: str | None
    position: int
    group_ids: tuple[str, ...]
    zone: str = "nova"


def _to_port(row: Row[Any]) -> Port:
    *values, ips, groups = tuple(row)
    addresses = tuple(FixedIp(**ip) for ip in ips)
    group_ids = tuple(group["id"] for group in groups)
    return Port(**dict(zip(_names, values, strict=True)), fixed_ips=addresses, group_ids=group_ids)


def get(reader: Reader, port_id: str) -> Port | None:
    """Return a port of any project."""
    row = reader.first(_one, {"id": port_id})
    return None if row is None else _to_port(row)


def get_of_project(reader: Reader, project_id: str, port_id: str) -> Port | None:
    """Return a project's port."""
    port = get(reader, port_id)
    return port if port is not None and port.project_id == project_id else None


def of_server(reader: Reader, server_id: str) -> list[Port]:
    """Return a server's ports in their order."""
    return [_to_port(row) for row in reader.rows(_mine, {"server": server_id})]


def address_taken(reader: Reader, subnet_id: str, address: str) -> bool:
    """Tell whether an address of a subnet has a port."""
    return addresses.taken(reader, subnet_id, address)


def make(tx: Transaction, port: Port, wishes: Sequence[Wish]) -> Port:
    """Store a port (without addresses yet), take the addresses wished for, join its groups.

    An empty `mac_address` is chosen. Raises MacTaken, AddressTaken, NoAddressLeft, and NotFound
    when the network or a group is gone.
    """
    if not networks.hold(tx, port.network_id, alone=len(wishes) > 1):
        raise NotFound(f"Network {port.network_id} could not be found.")
    values = {name: getattr(port, name) for name in _names}
    if port.mac_address:
        if not insert_missing(tx, ports, values):
            raise MacTaken(port.network_id, port.mac_address)
    else:
        attempt = 0
        while not insert_missing(tx, ports, {**values, "mac_address": _mac(port.id, attempt)}):
            attempt += 1
    for wish in _specific_first(wishes):
        addresses.take(tx, port.id, wish)
    set_groups(tx, port, port.group_ids)
    return _made(tx, port.id)


def allocate(tx: Transaction, wanted: Allocation, now: int) -> Port:
    """Make a port with an address; the same port again is described again.

    Raises AddressTaken, NoAddressLeft (both Conflict), or NotFound.
    """
    known = get(tx, wanted.port_id)
    if known is not None:
        return known
    candidates = tuple(
        subnet
        for subnet in networks.subnets_of(tx, wanted.network_id)
        if wanted.subnet_id in (None, subnet.id)
    )
    port = Port(
        id=wanted.port_id,
        network_id=wanted.network_id,
        project_id=wanted.project_id,
        name="",
        description="",
        mac_address="",
        admin_state_up=True,
        status="DOWN",
        device_id=wanted.server_id or "",
        device_owner=f"compute:{wanted.zone}" if wanted.server_id else "",
        server_id=wanted.server_id,
        position=wanted.position,
        created_for_server=wanted.server_id is not None,
        host_id=None,
        created_at=now,
        updated_at=now,
        group_ids=wanted.group_ids,
    )
    return make(tx, port, (Wish(wanted.network_id, candidates, wanted.address),))


def _specific_first(wishes: Sequence[Wish]) -> list[Wish]:
    """Put addresses that are named before those that are chosen."""
    return sorted(wishes, key=lambda wish: wish.address is None)


def _made(tx: Transaction, port_id: str) -> Port:
    made = get(tx, port_id)
    assert made is not None  # noqa: S101 - stored in this transaction, or locked by it
    return made


def _mac(port_id: str, attempt: int) -> str:
    """Derive a MAC of OpenStack's range from 24 bits of the port's id, others on each attempt."""
    digits = port_id.replace("-", "")
    if attempt:
        digits = hashlib.sha256(f"{port_id}/{attempt}".encode()).hexdigest()
    return f"fa:16:3e:{digits[:2]}:{digits[2:4]}:{digits[4:6]}"


def lock(tx: Transaction, port_id: str) -> Port | None:
    """Return a port of any project, unchanged by others until the transaction ends."""
    tx.rows(select(ports.c.id).where(ports.c.id == port_id).with_for_update())
    return get(tx, port_id)


def change(tx: Transaction, port_id: str, values: Mapping[str, Any], now: int) -> bool:
    """Change columns of a port; False, with nothing done, when its network has the MAC already.

    The port is locked (see `lock`).
    """
    mac = values.get("mac_address")
    if mac is not None:
        same = select(ports.c.id).where(
            ports.c.network_id
            == select(ports.c.network_id).where(ports.c.id == port_id).scalar_subquery(),
            ports.c.mac_address == mac,
            ports.c.id != port_id,
        )
        if tx.first(same) is not None:
            return False
    tx.run(update(ports).where(ports.c.id == port_id).values(**values, updated_at=now))
    return True


def set_groups(tx: Transaction, port: Port, group_ids: Collection[str]) -> None:
    """Put a port into exactly these groups of its project; raises NotFound for one that is gone."""
    wanted = dict.fromkeys(group_ids)
    missing = wanted.keys() - security_groups.hold(tx, port.project_id, list(wanted))
    if missing:
        raise NotFound(f"Security group {min(missing)} could not be found.")
    tx.run(delete(port_security_groups).where(port_security_groups.c.port_id == port.id))
    if wanted:
        rows = [{"port_id": port.id, "security_group_id": group_id} for group_id in wanted]
        tx.run(insert(port_security_groups), rows)


def set_addresses(
    tx: Transaction, port: Port, keep: Collection[FixedIp], wishes: Sequence[Wish]
) -> None:
    """Let go of a port's addresses but those to keep, and take others; raises as `make` does.

    The network is held alone (see `networks.hold`): two ports may swap addresses.
    """
    for ip in port.fixed_ips:
        if ip not in keep:
            tx.run(
                delete(fixed_ips).where(
                    fixed_ips.c.subnet_id == ip.subnet_id, fixed_ips.c.address == ip.address
                )
            )
    for wish in _specific_first(wishes):
        addresses.take(tx, port.id, wish)


def remove(tx: Transaction, port_id: str) -> None:
    """Remove a port; its addresses are free again."""
    tx.run(delete(ports).where(ports.c.id == port_id))


def attach(
    tx: Transaction, port_id: str, *, server_id: str, zone: str, position: int, now: int
) -> Port:
    """Lend an existing port to a server in a zone; raises Conflict when another one has it."""
    port = lock(tx, port_id)
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
            device_owner=f"compute:{zone}",
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
    port = lock(tx, port_id)
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


def of_project(
    reader: Reader, project_id: str, only: Mapping[str, Sequence[str]] | None = None
) -> list[Port]:
    """Return a project's ports, or those whose columns have one of the values that `only` names."""
    statement = _projects
    for name, values in (only or {}).items():
        statement = statement.where(ports.c[name].in_(values))
    return [_to_port(row) for row in reader.rows(statement, {"project": project_id})]
