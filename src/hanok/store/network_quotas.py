"""Quotas of the network service: limits beside the compute service's, use counted from rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Select, Table, bindparam, exists, func, select

from hanok.model.network_quota import NetworkQuota, OverQuota
from hanok.store import quotas
from hanok.store.database import Reader, Transaction
from hanok.store.journal_tables import operation_subjects, operations
from hanok.store.region_tables import (
    networks,
    ports,
    security_group_rules,
    security_groups,
    subnets,
)
from hanok.store.region_tables import quotas as quotas_table

_KEY = "network"
"""Where a project's row of quotas keeps what differs from the defaults here."""
_NAMES = frozenset(field.name for field in fields(NetworkQuota))
_TABLES: Mapping[str, Table] = {
    "network": networks,
    "subnet": subnets,
    "port": ports,
    "security_group": security_groups,
    "security_group_rule": security_group_rules,
}
_there: Mapping[str, Select[Any]] = {
    kind: select(func.count()).where(table.c.project_id == bindparam("project"))
    for kind, table in _TABLES.items()
}
_PORT = "port:"
"""What a port's id has before it among the subjects of an operation."""
_promised = (
    select(func.count())
    .select_from(operation_subjects.join(operations, operations.c.seq == operation_subjects.c.seq))
    .where(
        operations.c.project_id == bindparam("project"),
        operation_subjects.c.subject.startswith(_PORT),
        ~exists().where(ports.c.id == func.substr(operation_subjects.c.subject, len(_PORT) + 1)),
    )
)
"""Ports that servers have yet to make. What is promised is counted in one statement with what is
there: while it is made, it goes from one to the other in a commit of somebody else's."""
_counts = {
    **_there,
    "port": select(_there["port"].scalar_subquery() + _promised.scalar_subquery()),
}
_all = select(quotas_table.c.project_id, quotas_table.c.limits).order_by(quotas_table.c.project_id)


def _limits(kept: Mapping[str, Any]) -> dict[str, int]:
    """Return what differs from the defaults."""
    return {name: value for name, value in kept.get(_KEY, {}).items() if name in _NAMES}


def limits_of(reader: Reader, project_id: str) -> NetworkQuota:
    """Return a project's limits: the defaults, where nobody has changed them."""
    return NetworkQuota(**_limits(quotas.stored(reader, project_id)))


def changed(reader: Reader) -> dict[str, NetworkQuota]:
    """Return the limits of every project that has others than the defaults."""
    found = {row.project_id: _limits(row.limits) for row in reader.rows(_all)}
    return {project_id: NetworkQuota(**limits) for project_id, limits in found.items() if limits}


def used(reader: Reader, project_id: str, kind: str) -> int:
    """Count what a project has of one kind, by `NetworkQuota`'s names.

    Ports include those that servers in creation will have.
    """
    return int(reader.scalar(_counts[kind], {"project": project_id}))


def usage_of(reader: Reader, project_id: str) -> dict[str, int]:
    """Count what a project has of each kind."""
    return {kind: used(reader, project_id, kind) for kind in _TABLES}


def room(tx: Transaction, project_id: str, kind: str) -> int | None:
    """Return how many more of a kind a project may have; None is without limit.

    The project is locked until the transaction ends, so no two take the same place. It is the
    first lock that a transaction takes.
    """
    quotas.lock(tx, project_id)
    limit: int = getattr(limits_of(tx, project_id), kind)
    return None if limit < 0 else max(0, limit - used(tx, project_id, kind))


def take(tx: Transaction, project_id: str, kind: str) -> None:
    """Make sure that a project may have one more of a kind, as `room` does; raises OverQuota."""
    if room(tx, project_id, kind) == 0:
        raise OverQuota([kind])


def change(tx: Transaction, project_id: str, limits: Mapping[str, int]) -> NetworkQuota:
    """Change limits of a project, by the names of `NetworkQuota`, and return all of them."""
    quotas.lock(tx, project_id)
    kept = quotas.stored(tx, project_id)
    mine = {**_limits(kept), **limits}
    quotas.keep(tx, project_id, {**kept, _KEY: mine} if mine else kept)
    return NetworkQuota(**{**asdict(NetworkQuota()), **mine})


def reset(tx: Transaction, project_id: str) -> None:
    """Give a project the default limits again; those of other services stay."""
    quotas.lock(tx, project_id)
    kept = quotas.stored(tx, project_id)
    quotas.keep(tx, project_id, {name: value for name, value in kept.items() if name != _KEY})
