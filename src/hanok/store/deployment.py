"""Facts of this installation: its deployment id, what a first start made."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from hanok.model.moments import Clock
from hanok.store.database import Reader, Transaction
from hanok.store.region_tables import deployment


def value(reader: Reader, name: str) -> str | None:
    """Return a fact, or None."""
    found = reader.scalar(select(deployment.c.value).where(deployment.c.name == name))
    return None if found is None else str(found)


def set_value(tx: Transaction, name: str, text: str) -> None:
    """Note a fact."""
    if not tx.run(update(deployment).where(deployment.c.name == name).values(value=text)):
        tx.run(insert(deployment).values(name=name, value=text))


def identifier(tx: Transaction, clock: Clock) -> str:
    """Return the deployment id, 8 hexadecimal digits, chosen at the first call.

    It is in the name or the metadata of everything that drivers make, so that two installations
    on one machine never touch each other's things.
    """
    known = value(tx, "id")
    if known is None:
        known = clock.new_id()[:8]
        set_value(tx, "id", known)
    return known
