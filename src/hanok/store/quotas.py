"""Quotas: counted from the rows themselves, under a lock of the project's."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import bindparam, func, insert, select

from hanok.model.quota import Quota, Usage
from hanok.store.database import Reader, Transaction
from hanok.store.region_tables import projects, quotas, servers

_limits = select(quotas.c.limits).where(quotas.c.project_id == bindparam("project"))
_usage = select(
    func.count(),
    func.coalesce(func.sum(servers.c.vcpus), 0),
    func.coalesce(func.sum(servers.c.ram_mib), 0),
).where(servers.c.project_id == bindparam("project"), servers.c.terminated_at.is_(None))
_lock = select(projects.c.id).where(projects.c.id == bindparam("project")).with_for_update()


def limits_of(reader: Reader, project_id: str) -> Quota:
    """Return a project's limits: the defaults, with what an operator changed."""
    changed = reader.scalar(_limits, {"project": project_id}) or {}
    return Quota(**{**asdict(Quota()), **changed})


def usage_of(reader: Reader, project_id: str) -> Usage:
    """Count what a project's live servers take."""
    instances, cores, ram = tuple(reader.rows(_usage, {"project": project_id})[0])
    return Usage(int(instances), int(cores), int(ram))


def lock(tx: Transaction, project_id: str) -> None:
    """Let no other transaction count this project's quota until this one ends."""
    if tx.first(_lock, {"project": project_id}) is None:
        tx.run(insert(projects).values(id=project_id))
