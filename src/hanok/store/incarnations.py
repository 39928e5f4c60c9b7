"""The processes that own operations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select

from hanok.store.database import Reader, Transaction
from hanok.store.journal_tables import incarnations


def register(tx: Transaction, incarnation: str, lock_key: int, now: int) -> None:
    """Note a process that owns operations."""
    tx.run(insert(incarnations), {"id": incarnation, "lock_key": lock_key, "started_at": now})


def registered(reader: Reader) -> Sequence[Row[Any]]:
    """Return the noted processes: id, lock_key."""
    return reader.rows(select(incarnations.c.id, incarnations.c.lock_key))


def forget(tx: Transaction, ids: Collection[str]) -> None:
    """Remove processes that are gone."""
    tx.run(delete(incarnations).where(incarnations.c.id.in_(list(ids))))
