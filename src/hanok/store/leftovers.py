"""What a host holds, against the rows: what has one, and which operations made what has none.

The journal outlives the rows of ports and disks, so it can say whose they were.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, select

from hanok.store.database import Reader
from hanok.store.region_tables import (
    local_disks,
    operation_steps,
    operations,
    ports,
    servers,
    volumes,
)

Kind = Literal["domain", "port", "disk"]
"""What a host can hold; a domain's id is its server's."""
_BATCH = 500
"""Ids in one statement; both databases take many more."""
_ROWS: dict[Kind, tuple[tuple[Any, Select[Any]], ...]] = {
    "domain": ((servers.c.id, select(servers.c.id).where(servers.c.terminated_at.is_(None))),),
    "port": ((ports.c.id, select(ports.c.id)),),
    "disk": (
        (volumes.c.id, select(volumes.c.id)),
        (local_disks.c.id, select(local_disks.c.id)),
    ),
}


def known(reader: Reader, kind: Kind, ids: Collection[str]) -> set[str]:
    """Return those of the ids that have a row; a domain has one while its server lives."""
    return {
        row.id
        for column, statement in _ROWS[kind]
        for some in _batches(sorted(ids))
        for row in reader.rows(statement.where(column.in_(some)))
    }


@dataclass(frozen=True, slots=True)
class Maker:
    """The operation that makes a thing: its project, and its server if it is on one."""

    project_id: str
    server_id: str | None


def makers(reader: Reader, keys: Collection[str]) -> dict[str, Maker]:
    """Return, for each key of a step in the journal, the last operation that has it.

    There is no index on keys, so this reads the whole journal: for what is rare.
    """
    found: dict[str, Maker] = {}
    for some in _batches(sorted(keys)):
        statement = (
            select(operation_steps.c.key, operations.c.project_id, operations.c.server_id)
            .join(operations, operations.c.id == operation_steps.c.operation_id)
            .where(operation_steps.c.key.in_(some))
            .order_by(operations.c.seq)
        )
        for row in reader.rows(statement):
            found[row.key] = Maker(row.project_id, row.server_id)
    return found


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + _BATCH] for at in range(0, len(ids), _BATCH))
