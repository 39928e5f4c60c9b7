"""Availability zones."""

from __future__ import annotations

from sqlalchemy import select

from hanok.model.zone import Zone
from hanok.store.database import Reader, Transaction
from hanok.store.insert_missing import insert_missing
from hanok.store.region_tables import zones

_all = select(zones.c.name, zones.c.available).order_by(zones.c.name)


def all_zones(reader: Reader) -> list[Zone]:
    """Return the region's zones by name."""
    return [Zone(**row._mapping) for row in reader.rows(_all)]


def add(tx: Transaction, zone: Zone) -> bool:
    """Store a zone; False where one of that name is there."""
    return insert_missing(tx, zones, {"name": zone.name, "available": zone.available})
