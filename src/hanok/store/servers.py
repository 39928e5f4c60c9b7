"""Servers: rows, the view of one or of a page in one statement, events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, overload

import msgspec
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    tuple_,
    type_coerce,
    update,
)

from hanok.model.server import Server, ServerDetail, VmState, matches
from hanok.store.columns import Json, json_rows
from hanok.store.database import Reader, Transaction
from hanok.store.region_tables import (
    fixed_ips,
    hosts,
    local_disks,
    networks,
    port_security_groups,
    ports,
    security_groups,
    server_events,
    servers,
    volume_attachments,
)

_decode = msgspec.json.decode
_names = [f.name for f in fields(Server)]
_columns = [servers.c[name] for name in _names]

_nics = (
    select(
        json_rows(
            {
                "position": ports.c.position,
                "network": networks.c.name,
                "mac": ports.c.mac_address,
                "address": fixed_ips.c.address,
            }
        )
    )
    .select_from(
        ports.join(networks, networks.c.id == ports.c.network_id).join(
            fixed_ips, fixed_ips.c.port_id == ports.c.id
        )
    )
    .where(ports.c.server_id == servers.c.id)
    .correlate(servers)
    .scalar_subquery()
)
_groups = (
    select(json_rows({"position": ports.c.position, "name": security_groups.c.name}))
    .select_from(
        ports.join(port_security_groups, port_security_groups.c.port_id == ports.c.id).join(
            security_groups, security_groups.c.id == port_security_groups.c.security_group_id
        )
    )
    .where(ports.c.server_id == servers.c.id)
    .correlate(servers)
    .scalar_subquery()
)
_volumes = (
    select(json_rows({"id": volume_attachments.c.volume_id, "device": volume_attachments.c.device}))
    .where(volume_attachments.c.server_id == servers.c.id)
    .correlate(servers)
    .scalar_subquery()
)
_answering = func.coalesce(hosts.c.state == "up", True)
_shown: list[ColumnElement[Any]] = [
    *_columns,
    _answering.label("answering"),
    _nics.label("nics"),
    _groups.label("groups"),
    _volumes.label("volumes"),
]
_json_at = [at for at, column in enumerate(_shown) if isinstance(column.type, Json)]
# JSON comes as text, and is decoded when a row is made a server: see `Details`.
_details: Select[Any] = select(
    *(type_coerce(one, Text) if at in _json_at else one for at, one in enumerate(_shown))
).select_from(servers.outerjoin(hosts, hosts.c.id == servers.c.host_id))
_of_project = or_(
    bindparam("project", type_=String).is_(None), servers.c.project_id == bindparam("project")
)
_detail = _details.where(
    servers.c.id == bindparam("id"), _of_project, servers.c.terminated_at.is_(None)
)
_by_id = select(*_columns).where(servers.c.id == bindparam("id"))
_mine = _by_id.where(_of_project, servers.c.terminated_at.is_(None))
_held = _mine.with_for_update()
_count = len(_names)


def _to_detail(row: Row[Any]) -> ServerDetail:
    values = list(row)
    decoded = _decode(f"[{','.join([values[at] or 'null' for at in _json_at])}]")
    for at, value in zip(_json_at, decoded, strict=True):
        values[at] = value
    return ServerDetail(Server(*values[:_count]), bool(values[_count]), *values[_count + 1 :])


class Details(Sequence[ServerDetail]):
    """Servers that were read; each is made of its row whenever it is looked at.

    A page of a thousand, all made at once, would not fit into the processor's caches.
    """

    def __init__(self, rows: Sequence[Row[Any]]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[ServerDetail]:
        return map(_to_detail, self._rows)

    @overload
    def __getitem__(self, at: int) -> ServerDetail: ...
    @overload
    def __getitem__(self, at: slice) -> Details: ...
    def __getitem__(self, at: int | slice) -> ServerDetail | Details:
        """Make the server at a place; a slice is as lazy as the whole."""
        if isinstance(at, slice):
            return Details(self._rows[at])
        return _to_detail(self._rows[at])


def detail(reader: Reader, project_id: str | None, server_id: str) -> ServerDetail | None:
    """Return a project's live server (None: anybody's) with all that a view shows of it.

    Its addresses, groups and volumes come with it, in one statement.
    """
    row = reader.first(_detail, {"id": server_id, "project": project_id})
    return None if row is None else _to_detail(row)


def get(reader: Reader, project_id: str | None, server_id: str) -> Server | None:
    """Return a project's live server (None: anybody's)."""
    row = reader.first(_mine, {"id": server_id, "project": project_id})
    return None if row is None else Server(*tuple(row))


def hold(tx: Transaction, project_id: str | None, server_id: str) -> Server | None:
    """`get`, with the row kept from others until the transaction ends.

    So of two requests that may not both pass, the second sees what the first has done.
    """
    row = tx.first(_held, {"id": server_id, "project": project_id})
    return None if row is None else Server(*tuple(row))


def find(reader: Reader, server_id: str) -> Server | None:
    """Return a server of any project, deleted ones included."""
    row = reader.first(_by_id, {"id": server_id})
    return None if row is None else Server(*tuple(row))


@dataclass(frozen=True, slots=True)
class Listing:
    """Which servers a list shows; None means: not asked. Names are matched by the caller."""

    project_id: str | None
    limit: int
    marker: tuple[int, str] | None = None
    """(created_at, id) of the last server of the page before."""
    reservation_id: str | None = None
    image_id: str | None = None
    flavor_id: str | None = None
    statuses: tuple[str, ...] = ()
    """Any of them, in whatever letters; those of deleted servers among them; () is not asked."""
    changed_since: int | None = None
    host_id: str | None = None
    addresses: tuple[str, ...] = ()
    """Parts of addresses: a server has one with any of them in it; () is not asked."""


def _where(listing: Listing) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = []
    if listing.project_id is not None:
        terms.append(servers.c.project_id == listing.project_id)
    if listing.changed_since is not None:
        terms.append(servers.c.updated_at >= listing.changed_since)
    elif VmState.DELETED not in {status.lower() for status in listing.statuses}:
        terms.append(servers.c.terminated_at.is_(None))
    for column, value in (
        (servers.c.reservation_id, listing.reservation_id),
        (servers.c.image_id, listing.image_id),
        (servers.c.flavor_id, listing.flavor_id),
        (servers.c.host_id, listing.host_id),
    ):
        if value is not None:
            terms.append(column == value)
    if listing.statuses:
        terms.append(or_(*map(_status_term, listing.statuses)))
    if listing.addresses:
        terms.append(or_(*map(_address_term, listing.addresses)))
    if listing.marker is not None:
        terms.append(tuple_(servers.c.created_at, servers.c.id) < tuple_(*listing.marker))
    return terms


def _address_term(part: str) -> ColumnElement[bool]:
    held = ports.join(fixed_ips, fixed_ips.c.port_id == ports.c.id)
    return exists(
        select(ports.c.id)
        .select_from(held)
        .where(
            ports.c.server_id == servers.c.id, fixed_ips.c.address.contains(part, autoescape=True)
        )
    )


def _status_term(status: str) -> ColumnElement[bool]:
    ways: list[ColumnElement[bool]] = []
    for match in matches(status):
        terms: list[ColumnElement[bool]] = [servers.c.vm_state == match.vm_state]
        if match.tasks is not None:
            terms.append(servers.c.task_state.in_(match.tasks))
        elif match.not_tasks:
            terms.append(
                or_(servers.c.task_state.is_(None), servers.c.task_state.not_in(match.not_tasks))
            )
        if match.answering is not None:
            terms.append(_answering if match.answering else ~_answering)
        ways.append(and_(*terms))
    return or_(*ways) if ways else false()


def page(reader: Reader, listing: Listing) -> Sequence[ServerDetail]:
    """Return a page of servers, newest first: one statement."""
    statement = (
        _details.where(*_where(listing))
        .order_by(servers.c.created_at.desc(), servers.c.id.desc())
        .limit(listing.limit)
    )
    return Details(reader.rows(statement))


def names(reader: Reader, listing: Listing) -> list[tuple[str, str, int]]:
    """Return (id, name, created_at) of a page, newest first."""
    statement = (
        select(servers.c.id, servers.c.name, servers.c.created_at)
        .select_from(servers.outerjoin(hosts, hosts.c.id == servers.c.host_id))
        .where(*_where(listing))
        .order_by(servers.c.created_at.desc(), servers.c.id.desc())
        .limit(listing.limit)
    )
    return [(row.id, row.name, row.created_at) for row in reader.rows(statement)]


_resized = select(*_columns).where(
    servers.c.vm_state == VmState.RESIZED, servers.c.terminated_at.is_(None)
)


def resized(reader: Reader) -> list[Server]:
    """Return the servers whose resize waits to be confirmed."""
    return [Server(*tuple(row)) for row in reader.rows(_resized)]


_insert = insert(servers)


def add(tx: Transaction, server: Server) -> None:
    """Store a new server."""
    tx.run(_insert, {name: getattr(server, name) for name in _names})


def change(tx: Transaction, server_id: str, now: int, values: Mapping[str, Any]) -> None:
    """Change columns of a server; its generation and time of change follow."""
    tx.run(
        update(servers)
        .where(servers.c.id == server_id)
        .values(**values, updated_at=now, generation=servers.c.generation + 1)
    )


def observe(tx: Transaction, server: Server, now: int, values: Mapping[str, Any]) -> bool:
    """Note what was seen of a server, unless it has changed since `server` was read."""
    return bool(
        tx.run(
            update(servers)
            .where(servers.c.id == server.id, servers.c.generation == server.generation)
            .values(**values, updated_at=now, generation=servers.c.generation + 1)
        )
    )


_made_from = select(servers.c.intent, servers.c.sealed_guest).where(servers.c.id == bindparam("id"))


def made_from(reader: Reader, server_id: str) -> tuple[dict[str, Any], bytes] | None:
    """Return the intent that a server's domain was made from, and what its guest is told, sealed.

    None for a server that never got a host.
    """
    row = reader.first(_made_from, {"id": server_id})
    return None if row is None or row.intent is None else (row.intent, row.sealed_guest)


def on_host(reader: Reader, host_id: str) -> list[Server]:
    """Return the live servers of a host."""
    statement = select(*_columns).where(
        servers.c.host_id == host_id, servers.c.terminated_at.is_(None)
    )
    return [Server(*tuple(row)) for row in reader.rows(statement)]


def record(
    tx: Transaction, server_id: str, now: int, name: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Append an event to a server's timeline."""
    values = {"server_id": server_id, "at": now, "name": name, "detail": dict(detail or {})}
    tx.run(insert(server_events), values)


def events(reader: Reader, server_id: str) -> Sequence[Row[Any]]:
    """Return a server's timeline, oldest first: at, name, detail."""
    statement = (
        select(server_events.c.at, server_events.c.name, server_events.c.detail)
        .where(server_events.c.server_id == server_id)
        .order_by(server_events.c.id)
    )
    return reader.rows(statement)


def add_local_disk(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Store a server's local disk: id, server_id, host_id, device, size_gib, image_id."""
    known = tx.scalar(select(local_disks.c.id).where(local_disks.c.id == values["id"]))
    if known is None:
        tx.run(insert(local_disks), values)


def local_disks_of(reader: Reader, server_id: str) -> Sequence[Row[Any]]:
    """Return a server's local disks."""
    statement = (
        select(local_disks)
        .where(local_disks.c.server_id == server_id)
        .order_by(local_disks.c.device)
    )
    return reader.rows(statement)


def change_local_disk(tx: Transaction, disk_id: str, image_id: str) -> None:
    """Note the image whose bytes a local disk has now."""
    tx.run(update(local_disks).where(local_disks.c.id == disk_id).values(image_id=image_id))


def remove_local_disk(tx: Transaction, disk_id: str) -> None:
    """Forget a local disk."""
    tx.run(delete(local_disks).where(local_disks.c.id == disk_id))


def purge(tx: Transaction, before: int) -> int:
    """Remove servers that were deleted before a moment; return how many."""
    return tx.run(delete(servers).where(servers.c.terminated_at < before))
