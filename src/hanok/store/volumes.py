"""Volumes, their types and their attachments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from hanok.model.volume import Volume, VolumeAttachment, VolumeType, VolumeUsage
from hanok.store.columns import json_rows
from hanok.store.database import Reader, Transaction
from hanok.store.json_pairs import has_pair
from hanok.store.keyset import SortKey, after, order
from hanok.store.region_tables import volume_attachments, volume_types, volumes

Attachment = VolumeAttachment
_types = select(*[volume_types.c[f.name] for f in fields(VolumeType)]).order_by(
    volume_types.c.position
)
_volume_columns = [volumes.c[f.name] for f in fields(Volume)]
_attachment_columns = [volume_attachments.c[f.name] for f in fields(VolumeAttachment)]


def types(reader: Reader) -> list[VolumeType]:
    """Return the volume types, the default one first."""
    return [VolumeType(**row._mapping) for row in reader.rows(_types)]


def find(reader: Reader, volume_id: str) -> Volume | None:
    """Return a volume of any project."""
    row = reader.first(select(*_volume_columns).where(volumes.c.id == volume_id))
    return None if row is None else Volume(**row._mapping)


def add_root(tx: Transaction, volume: Volume, _now: int) -> None:
    """Store a root volume's row; one that is there is left alone."""
    if find(tx, volume.id) is None:
        tx.run(insert(volumes), asdict(volume))


def add(tx: Transaction, volume: Volume) -> None:
    """Store a volume's row."""
    tx.run(insert(volumes), asdict(volume))


def change(tx: Transaction, volume_id: str, values: Mapping[str, Any], now: int) -> None:
    """Change columns of a volume."""
    statement = update(volumes).where(volumes.c.id == volume_id)
    tx.run(statement.values(**values, updated_at=now))


def put_on(tx: Transaction, volume_id: str, host_id: str, now: int) -> None:
    """Note the host whose storage holds a volume."""
    change(tx, volume_id, {"host_id": host_id}, now)


def attach(tx: Transaction, attachment: VolumeAttachment) -> None:
    """Note an attachment; the same one again is success."""
    known = tx.scalar(
        select(volume_attachments.c.server_id).where(
            volume_attachments.c.volume_id == attachment.volume_id
        )
    )
    if known is None:
        tx.run(insert(volume_attachments), asdict(attachment))


def detach(tx: Transaction, volume_id: str) -> None:
    """Forget where a volume is attached."""
    tx.run(delete(volume_attachments).where(volume_attachments.c.volume_id == volume_id))


def detach_from(tx: Transaction, volume_id: str, server_id: str) -> bool:
    """Forget an attachment to one server; False when there is none such."""
    statement = delete(volume_attachments).where(
        volume_attachments.c.volume_id == volume_id,
        volume_attachments.c.server_id == server_id,
    )
    return bool(tx.run(statement))


def set_status(tx: Transaction, volume_id: str, status: str, now: int) -> None:
    """Change a volume's status."""
    tx.run(update(volumes).where(volumes.c.id == volume_id).values(status=status, updated_at=now))


def remove(tx: Transaction, volume_id: str) -> None:
    """Remove a volume's row; absent is success."""
    tx.run(delete(volumes).where(volumes.c.id == volume_id))


_of_server = (
    select(*_attachment_columns, *_volume_columns)
    .select_from(volume_attachments.join(volumes, volumes.c.id == volume_attachments.c.volume_id))
    .where(volume_attachments.c.server_id == bindparam("server"))
    .order_by(volume_attachments.c.attached_at, volume_attachments.c.device)
)


def of_server(reader: Reader, server_id: str) -> list[tuple[VolumeAttachment, Volume]]:
    """Return a server's attachments with their volumes."""
    count = len(_attachment_columns)
    return [
        (VolumeAttachment(*tuple(row)[:count]), Volume(*tuple(row)[count:]))
        for row in reader.rows(_of_server, {"server": server_id})
    ]


# -- as a client sees them -----------------------------------------------------------------------

_attached = (
    select(json_rows({f.name: volume_attachments.c[f.name] for f in fields(VolumeAttachment)}))
    .where(volume_attachments.c.volume_id == volumes.c.id)
    .correlate(volumes)
    .scalar_subquery()
)
_shown = select(*_volume_columns, _attached.label("attachments"))
_shown_one = _shown.where(volumes.c.id == bindparam("id"))
_usage = select(
    func.count().label("volumes"),
    func.coalesce(func.sum(volumes.c.size_gib), 0).label("size_gib"),
).where(volumes.c.project_id == bindparam("project"))


def _to_shown(row: Row[Any]) -> tuple[Volume, list[VolumeAttachment]]:
    *values, attachments = tuple(row)
    return Volume(*values), [VolumeAttachment(**_typed(one)) for one in attachments]


def _typed(attachment: dict[str, Any]) -> dict[str, Any]:
    """Give an attachment read from JSON its truth value back (SQLite's JSON says 0 or 1)."""
    return {**attachment, "delete_on_termination": bool(attachment["delete_on_termination"])}


def get(
    reader: Reader, project_id: str | None, volume_id: str
) -> tuple[Volume, list[VolumeAttachment]] | None:
    """Return a project's volume (None: anybody's) with its attachments: one statement."""
    row = reader.first(_shown_one, {"id": volume_id})
    if row is None or project_id not in (None, row.project_id):
        return None
    return _to_shown(row)


COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "availability_zone": volumes.c.availability_zone,
    "bootable": volumes.c.bootable,
    "created_at": volumes.c.created_at,
    "id": volumes.c.id,
    "name": volumes.c.name,
    "project_id": volumes.c.project_id,
    "size": volumes.c.size_gib,
    "status": volumes.c.status,
    "updated_at": volumes.c.updated_at,
    "user_id": volumes.c.user_id,
    "volume_type": volumes.c.volume_type,
}
"""Cinder's names of what volumes can be sorted by and picked by."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Which volumes a list shows.

    `project_id` None shows those of all projects. `among` maps names of `COLUMNS` to the values
    that they may have, `metadata` holds pairs that must be there. `sort` holds names and whether
    they descend; `marker` is the id of the last volume of the page before; `offset` are skipped.
    """

    project_id: str | None
    limit: int
    among: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    sort: Sequence[tuple[str, bool]] = (("created_at", True),)
    marker: str | None = None
    offset: int = 0


def page(reader: Reader, listing: Listing) -> list[tuple[Volume, list[VolumeAttachment]]] | None:
    """Return a page of volumes, with their attachments; None where the marker is not seen."""
    mine = [] if listing.project_id is None else [volumes.c.project_id == listing.project_id]
    keys = _keys(listing.sort)
    terms: list[ColumnElement[bool]] = [
        *mine,
        *(COLUMNS[name].in_(values) for name, values in listing.among.items()),
        *(has_pair(volumes.c.metadata, key, value) for key, value in listing.metadata.items()),
    ]
    if listing.marker is not None:
        columns = [key.column.label(f"key_{n}") for n, key in enumerate(keys)]
        last = reader.first(select(*columns).where(volumes.c.id == listing.marker, *mine))
        if last is None:
            return None
        terms.append(after(keys, tuple(last)))
    statement = _shown.where(*terms).order_by(*order(keys))
    rows = reader.rows(statement.limit(listing.limit).offset(listing.offset))
    return [_to_shown(row) for row in rows]


def _keys(sort: Sequence[tuple[str, bool]]) -> list[SortKey]:
    """Return the columns to sort by, the first mention of each, with the id as the last one."""
    wanted = dict(reversed([*sort, ("id", sort[0][1] if sort else True)]))
    names = dict.fromkeys([*(name for name, _ in sort), "id"])
    return [SortKey(COLUMNS[name], wanted[name]) for name in names]


def usage(reader: Reader, project_id: str) -> VolumeUsage:
    """Count what a project's volumes take, those in error and in deletion included."""
    [row] = reader.rows(_usage, {"project": project_id})
    return VolumeUsage(int(row.volumes), int(row.size_gib))


def begin(tx: Transaction, volume_id: str, status: str, allowed: Collection[str], now: int) -> bool:
    """Set a passing status; False, with nothing done, when the present one is not `allowed`.

    One conditional statement: of two requests at once, one passes.
    """
    statement = update(volumes).where(volumes.c.id == volume_id, volumes.c.status.in_(allowed))
    return bool(tx.run(statement.values(status=status, updated_at=now)))


def begin_delete(tx: Transaction, volume_id: str, allowed: Collection[str], now: int) -> bool:
    """Set a volume `deleting`; False, with nothing done, when it is attached or not `allowed`.

    One conditional statement: of two requests at once, one passes.
    """
    attached = exists().where(volume_attachments.c.volume_id == volumes.c.id)
    statement = update(volumes).where(
        volumes.c.id == volume_id, volumes.c.status.in_(allowed), ~attached
    )
    return bool(tx.run(statement.values(status="deleting", updated_at=now)))
