"""Security groups and their rules."""

from __future__ import annotations

from dataclasses import asdict, fields

from sqlalchemy import bindparam, delete, insert, or_, select

from hanok.model.errors import Conflict, NotFound
from hanok.model.security_group import SecurityGroup, SecurityGroupRule
from hanok.store.database import Reader, Transaction
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
_rule_columns = [security_group_rules.c[f.name] for f in fields(SecurityGroupRule)]
_rules = select(*_rule_columns).order_by(
    security_group_rules.c.created_at, security_group_rules.c.id
)
_project_rules = _rules.where(security_group_rules.c.project_id == bindparam("project"))
_group_rules = _rules.where(security_group_rules.c.security_group_id == bindparam("group"))


def of_project(reader: Reader, project_id: str) -> list[SecurityGroup]:
    """Return a project's groups, the oldest first."""
    return [SecurityGroup(**row._mapping) for row in reader.rows(_mine, {"project": project_id})]


def get(reader: Reader, project_id: str, group_id: str) -> SecurityGroup | None:
    """Return a project's group by its id."""
    return next((one for one in of_project(reader, project_id) if one.id == group_id), None)


def project_rules(reader: Reader, project_id: str) -> list[SecurityGroupRule]:
    """Return the rules of all of a project's groups."""
    found = reader.rows(_project_rules, {"project": project_id})
    return [SecurityGroupRule(**row._mapping) for row in found]


def rules_of(reader: Reader, group_id: str) -> list[SecurityGroupRule]:
    """Return a group's rules."""
    found = reader.rows(_group_rules, {"group": group_id})
    return [SecurityGroupRule(**row._mapping) for row in found]


def remove_rule(tx: Transaction, project_id: str, rule_id: str) -> bool:
    """Remove a project's rule; False when there is none such."""
    statement = delete(security_group_rules).where(
        security_group_rules.c.id == rule_id, security_group_rules.c.project_id == project_id
    )
    return bool(tx.run(statement))


def join(tx: Transaction, port_id: str, group_id: str) -> None:
    """Put a port into a group."""
    tx.run(insert(port_security_groups).values(port_id=port_id, security_group_id=group_id))


def leave(tx: Transaction, port_id: str, group_id: str) -> None:
    """Take a port out of a group."""
    tx.run(
        delete(port_security_groups).where(
            port_security_groups.c.port_id == port_id,
            port_security_groups.c.security_group_id == group_id,
        )
    )
