"""Security groups and their rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update

from hanok.model.errors import Conflict, NotFound
from hanok.model.security_group import SecurityGroup, SecurityGroupRule
from hanok.store.database import Reader, Transaction
from hanok.store.insert_missing import insert_missing
from hanok.store.region_tables import (
    port_security_groups,
    security_group_rules,
    security_groups,
)

_columns = [security_groups.c[f.name] for f in fields(SecurityGroup)]


def find(reader: Reader, project_id: str, name: str) -> SecurityGroup:
    """Return a project's group by id or name; raises NotFound, or Conflict when several match."""
    statement = select(*_columns).where(
        security_groups.c.project_id == project_id,
        or_(security_groups.c.id == name, security_groups.c.name == name),
    )
    found = [SecurityGroup(**row._mapping) for row in reader.rows(statement)]
    exact = [group for group in found if group.id == name]
    if exact:
        return exact[0]
    if not found:
        raise NotFound(f"Security group {name} not found for project {project_id}.")
    if len(found) > 1:
        raise Conflict(
            f"Multiple security groups found matching '{name}'. Use an ID to be more specific."
        )
    return found[0]


def add(tx: Transaction, group: SecurityGroup) -> None:
    """Store a group."""
    tx.run(insert(security_groups), asdict(group))


def add_rule(tx: Transaction, rule: SecurityGroupRule) -> None:
    """Store a rule."""
    tx.run(insert(security_group_rules), asdict(rule))


_mine = (
    select(*_columns)
    .where(security_groups.c.project_id == bindparam("project"))
    .order_by(security_groups.c.created_at, security_groups.c.id)
)
_one = select(*_columns).where(
    security_groups.c.project_id == bindparam("project"), security_groups.c.id == bindparam("id")
)
_rule_columns = [security_group_rules.c[f.name] for f in fields(SecurityGroupRule)]
_rules = select(*_rule_columns).order_by(
    security_group_rules.c.created_at, security_group_rules.c.id
)
_project_rules = _rules.where(security_group_rules.c.project_id == bindparam("project"))
_one_rule = _project_rules.where(security_group_rules.c.id == bindparam("id"))
_group_rules = _rules.where(security_group_rules.c.security_group_id == bindparam("group"))


def of_project(reader: Reader, project_id: str) -> list[SecurityGroup]:
    """Return a project's groups, the oldest first."""
    return [SecurityGroup(**row._mapping) for row in reader.rows(_mine, {"project": project_id})]


def get(reader: Reader, project_id: str, group_id: str) -> SecurityGroup | None:
    """Return a project's group by its id."""
    row = reader.first(_one, {"project": project_id, "id": group_id})
    return None if row is None else SecurityGroup(**row._mapping)


def project_rules(
    reader: Reader, project_id: str, only: Mapping[str, Sequence[str]] | None = None
) -> list[SecurityGroupRule]:
    """Return the rules of all of a project's groups, or those whose columns have one of the values.

    `only` names the columns, and the values of each.
    """
    statement = _project_rules
    for name, values in (only or {}).items():
        statement = statement.where(security_group_rules.c[name].in_(values))
    found = reader.rows(statement, {"project": project_id})
    return [SecurityGroupRule(**row._mapping) for row in found]


def rules_of(reader: Reader, group_id: str) -> list[SecurityGroupRule]:
    """Return a group's rules."""
    found = reader.rows(_group_rules, {"group": group_id})
    return [SecurityGroupRule(**row._mapping) for row in found]


def change(tx: Transaction, group_id: str, values: Mapping[str, Any], now: int) -> None:
    """Change a group's name or description."""
    tx.run(
        update(security_groups)
        .where(security_groups.c.id == group_id)
        .values(**values, updated_at=now)
    )


def remove(tx: Transaction, group_id: str) -> bool:
    """Remove a group and its rules; False, with nothing done, while a port is in it.

    The group's row is locked first: nobody joins it meanwhile (see `hold`).
    """
    tx.rows(select(security_groups.c.id).where(security_groups.c.id == group_id).with_for_update())
    member = select(port_security_groups.c.port_id).where(
        port_security_groups.c.security_group_id == group_id
    )
    if tx.first(member.limit(1)) is not None:
        return False
    tx.run(delete(security_groups).where(security_groups.c.id == group_id))
    return True


def hold(tx: Transaction, project_id: str, group_ids: Collection[str]) -> frozenset[str]:
    """Keep groups from being removed until the transaction ends; return those that are there."""
    if not group_ids:
        return frozenset()
    statement = (
        select(security_groups.c.id)
        .where(security_groups.c.project_id == project_id, security_groups.c.id.in_(group_ids))
        .order_by(security_groups.c.id)
        .with_for_update(read=True, key_share=True)
    )
    return frozenset(row.id for row in tx.rows(statement))


def get_rule(reader: Reader, project_id: str, rule_id: str) -> SecurityGroupRule | None:
    """Return a project's rule by its id."""
    row = reader.first(_one_rule, {"project": project_id, "id": rule_id})
    return None if row is None else SecurityGroupRule(**row._mapping)


def remove_rule(tx: Transaction, project_id: str, rule_id: str) -> bool:
    """Remove a project's rule; False when there is none such."""
    statement = delete(security_group_rules).where(
        security_group_rules.c.id == rule_id, security_group_rules.c.project_id == project_id
    )
    return bool(tx.run(statement))


def join(tx: Transaction, port_id: str, group_id: str) -> None:
    """Put a port into a group, once; raises NotFound when the group is gone."""
    statement = select(security_groups.c.id).where(security_groups.c.id == group_id)
    if tx.scalar(statement.with_for_update(read=True, key_share=True)) is None:
        raise NotFound(f"Security group {group_id} could not be found.")
    insert_missing(tx, port_security_groups, {"port_id": port_id, "security_group_id": group_id})


def leave(tx: Transaction, port_id: str, group_id: str) -> None:
    """Take a port out of a group."""
    tx.run(
        delete(port_security_groups).where(
            port_security_groups.c.port_id == port_id,
            port_security_groups.c.security_group_id == group_id,
        )
    )
