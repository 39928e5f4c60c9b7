"""Volumes, their types and their attachments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from hanok.model.volume import Volume, VolumeAttachment, VolumeType
from hanok.store.columns import json_rows
from hanok.store.database import Reader, Transaction
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


_attached = select(
    json_rows({f.name: volume_attachments.c[f.name] for f in fields(VolumeAttachment)})
).where(volume_attachments.c.volume_id == volumes.c.id)
_listed = select(
    *_volume_columns, _attached.correlate(volumes).scalar_subquery().label("attachments")
).order_by(volumes.c.created_at.desc(), volumes.c.id.desc())


def listed(reader: Reader, project_id: str | None) -> list[tuple[Volume, list[VolumeAttachment]]]:
    """Return a project's volumes (None: everybody's), the newest first: one statement."""
    statement = _listed if project_id is None else _listed.where(volumes.c.project_id == project_id)
    found = []
    for row in reader.rows(statement):
        *values, attachments = tuple(row)
        found.append((Volume(*values), [VolumeAttachment(**one) for one in attachments]))
    return found


def attachments_of(reader: Reader, volume_id: str) -> list[VolumeAttachment]:
    """Return where a volume is attached."""
    statement = select(*_attachment_columns).where(volume_attachments.c.volume_id == volume_id)
    return [VolumeAttachment(**row._mapping) for row in reader.rows(statement)]
