"""Security groups and their rules."""

from __future__ import annotations

from dataclasses import asdict, fields

from sqlalchemy import insert, or_, select

from hanok.model.errors import Conflict, NotFound
from hanok.model.security_group import SecurityGroup, SecurityGroupRule
from hanok.store.database import Reader, Transaction
from hanok.store.region_tables import security_group_rules, security_groups

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
