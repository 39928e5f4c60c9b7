"""Quotas: a project's limits, and its use counted from rows, never from counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, func, insert, select, update

from hanok.model.quota import Quota, Usage
from hanok.store.database import Reader, Transaction
from hanok.store.insert_missing import insert_missing
from hanok.store.json_pairs import number_at
from hanok.store.region_tables import projects, quotas, servers

_NAMES = frozenset(field.name for field in fields(Quota))
_limits = select(quotas.c.limits).where(quotas.c.project_id == bindparam("project"))


def _sum(name: str) -> ColumnElement[int]:
    """Add up one measure of servers: of the two sizes of one that is resized the larger."""
    size, other = servers.c[name], number_at(servers.c.resized, name)
    return func.coalesce(func.sum(case((other > size, other), else_=size)), 0)


_usage = select(
    func.count().label("instances"),
    _sum("vcpus").label("cores"),
    _sum("ram_mib").label("ram_mib"),
).where(servers.c.project_id == bindparam("project"), servers.c.terminated_at.is_(None))
_lock = select(projects.c.id).where(projects.c.id == bindparam("project")).with_for_update()


def stored(reader: Reader, project_id: str) -> dict[str, Any]:
    """Return all that a project's row of quotas keeps, of every service."""
    return dict(reader.scalar(_limits, {"project": project_id}) or {})


def keep(tx: Transaction, project_id: str, limits: Mapping[str, Any]) -> None:
    """Put what a project's row keeps; the row goes where that is nothing. See `lock`."""
    if not limits:
        tx.run(delete(quotas).where(quotas.c.project_id == project_id))
        return
    mine = update(quotas).where(quotas.c.project_id == project_id).values(limits=dict(limits))
    if not tx.run(mine):
        tx.run(insert(quotas).values(project_id=project_id, limits=dict(limits)))


def _changed(kept: Mapping[str, Any]) -> dict[str, int]:
    """Return what differs from the defaults."""
    return {name: value for name, value in kept.items() if name in _NAMES}


def limits_of(reader: Reader, project_id: str) -> Quota:
    """Return a project's limits: the defaults, where nobody has changed them."""
    return Quota(**_changed(stored(reader, project_id)))


def usage_of(reader: Reader, project_id: str) -> Usage:
    """Count what a project's servers take, those in ERROR and in deletion included.

    From the request to resize a server until that is confirmed, taken back or has failed, the
    server takes the larger of its two sizes, as on its host: no other request gets what it may
    yet need.
    """
    [row] = reader.rows(_usage, {"project": project_id})
    return Usage(int(row.instances), int(row.cores), int(row.ram_mib))


def lock(tx: Transaction, project_id: str) -> None:
    """Keep others from taking of a project's quota until this transaction ends.

    On SQLite the writer is alone anyway.
    """
    insert_missing(tx, projects, {"id": project_id})
    tx.scalar(_lock, {"project": project_id})


def change(tx: Transaction, project_id: str, limits: Mapping[str, int]) -> Quota:
    """Change limits of a project, by the names of `Quota`'s fields, and return all of them."""
    kept = {**stored(tx, project_id), **limits}
    keep(tx, project_id, kept)
    return replace(Quota(), **_changed(kept))


def reset(tx: Transaction, project_id: str) -> None:
    """Give a project the default limits again; those of other services stay."""
    lock(tx, project_id)
    kept = stored(tx, project_id)
    keep(tx, project_id, {name: value for name, value in kept.items() if name not in _NAMES})
