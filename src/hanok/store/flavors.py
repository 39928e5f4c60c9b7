"""Flavors, and which projects may use those that are not public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, exists, false, or_, select

from hanok.model.flavor import Flavor
from hanok.store.database import Reader, Transaction
from hanok.store.insert_missing import insert_missing
from hanok.store.keyset import SortKey, after, order
from hanok.store.region_tables import flavor_access, flavors

SORT_KEYS: Mapping[str, ColumnElement[Any]] = {
    "created_at": flavors.c.created_at,
    "disabled": flavors.c.disabled,
    "ephemeral_gb": flavors.c.ephemeral_gib,
    "flavorid": flavors.c.id,
    "id": flavors.c.id,
    "is_public": flavors.c.is_public,
    "memory_mb": flavors.c.ram_mib,
    "name": flavors.c.name,
    "root_gb": flavors.c.disk_gib,
    "rxtx_factor": flavors.c.rxtx_factor,
    "swap": flavors.c.swap_mib,
    "vcpus": flavors.c.vcpus,
}
"""Nova's names of what flavors can be sorted by."""

_columns = [flavors.c[field.name] for field in fields(Flavor)]
_by_id = select(*_columns).where(flavors.c.id == bindparam("id"))


def _usable_by(project_id: Any) -> ColumnElement[bool]:
    granted = exists().where(
        flavor_access.c.flavor_id == flavors.c.id, flavor_access.c.project_id == project_id
    )
    return or_(flavors.c.is_public, granted)


_usable = _by_id.where(_usable_by(bindparam("project")))


def get(reader: Reader, flavor_id: str, project_id: str | None) -> Flavor | None:
    """Return a flavor that a project may use; of all flavors where the project is None."""
    if project_id is None:
        row = reader.first(_by_id, {"id": flavor_id})
    else:
        row = reader.first(_usable, {"id": flavor_id, "project": project_id})
    return None if row is None else Flavor(**row._mapping)


@dataclass(frozen=True, slots=True)
class Listing:
    """Which flavors a list shows: at least so many GiB and MiB, sorted by a name of `SORT_KEYS`.

    `public` True: public ones and those granted to the project; False: only such as are not
    public; None: all. `marker` is the id of the last flavor of the page before.
    """

    project_id: str
    limit: int
    min_disk_gib: int = 0
    min_ram_mib: int = 0
    public: bool | None = True
    with_disabled: bool = False
    sort_key: str = "flavorid"
    descending: bool = False
    marker: str | None = None


def page(reader: Reader, listing: Listing) -> list[Flavor] | None:
    """Return a page of flavors; None where the marker is no flavor that the list could show."""
    keys = (
        SortKey(SORT_KEYS[listing.sort_key], listing.descending),
        SortKey(flavors.c.id, listing.descending),
    )
    shown = _shown(listing)
    terms = [
        *shown,
        flavors.c.disk_gib >= listing.min_disk_gib,
        flavors.c.ram_mib >= listing.min_ram_mib,
    ]
    if listing.marker is not None:
        values = reader.first(
            select(*(key.column.label(f"key_{n}") for n, key in enumerate(keys))).where(
                flavors.c.id == listing.marker, *shown
            )
        )
        if values is None:
            return None
        terms.append(after(keys, tuple(values)))
    statement = select(*_columns).where(*terms).order_by(*order(keys)).limit(listing.limit)
    return [Flavor(**row._mapping) for row in reader.rows(statement)]


def _shown(listing: Listing) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = []
    if listing.public is not None:
        terms.append(
            _usable_by(listing.project_id) if listing.public else flavors.c.is_public == false()
        )
    if not listing.with_disabled:
        terms.append(flavors.c.disabled == false())
    return terms


def add(tx: Transaction, flavor: Flavor) -> bool:
    """Store a flavor; False where its id or its name is taken."""
    return insert_missing(tx, flavors, asdict(flavor))


def allow(tx: Transaction, flavor_id: str, project_id: str) -> None:
    """Let a project use a flavor that is not public."""
    insert_missing(tx, flavor_access, {"flavor_id": flavor_id, "project_id": project_id})


_delete = delete(flavors).where(flavors.c.id == bindparam("id"))


def remove(tx: Transaction, flavor_id: str) -> bool:
    """Remove a flavor; servers of it keep their size. False where there is none."""
    return tx.run(_delete, {"id": flavor_id}) > 0
