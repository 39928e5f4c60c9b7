"""Availability zones."""

from __future__ import annotations

from sqlalchemy import insert, select

from hanok.model.zone import Zone
from hanok.store.database import Reader, Transaction
from hanok.store.region_tables import zones

_all = select(zones.c.name, zones.c.available).order_by(zones.c.name)


def all_zones(reader: Reader) -> list[Zone]:
    """Return the region's zones by name."""
    return [Zone(row.name, bool(row.available)) for row in reader.rows(_all)]


def add(tx: Transaction, zone: Zone) -> None:
    """Store a zone."""
    tx.run(insert(zones).values(name=zone.name, available=zone.available))
