"""Flavors, as a project sees them."""

from __future__ import annotations

from dataclasses import asdict, fields

from sqlalchemy import bindparam, insert, or_, select

from hanok.model.flavor import Flavor
from hanok.store.database import Reader, Transaction
from hanok.store.region_tables import flavor_access, flavors

_columns = [flavors.c[f.name] for f in fields(Flavor)]
_granted = select(flavor_access.c.flavor_id).where(
    flavor_access.c.project_id == bindparam("project")
)
_visible = or_(flavors.c.is_public, flavors.c.id.in_(_granted))
_one = select(*_columns).where(flavors.c.id == bindparam("id"), _visible)
_all = select(*_columns).where(_visible).order_by(flavors.c.name, flavors.c.id)


def get(reader: Reader, flavor_id: str, project_id: str) -> Flavor | None:
    """Return a flavor that is public or granted to the project (fault_31)."""
    row = reader.first(_one, {"id": flavor_id, "project": project_id})
    return None if row is None else Flavor(**row._mapping)


def visible(reader: Reader, project_id: str) -> list[Flavor]:
    """Return the flavors that a project may use, by name."""
    return [Flavor(**row._mapping) for row in reader.rows(_all, {"project": project_id})]


def add(tx: Transaction, flavor: Flavor) -> None:
    """Store a flavor."""
    tx.run(insert(flavors), asdict(flavor))
