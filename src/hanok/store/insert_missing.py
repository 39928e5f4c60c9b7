"""Insert what is not there yet, safe against another transaction that does the same."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, Table, literal_column
from sqlalchemy.dialects import postgresql, sqlite

from hanok.store.database import Transaction


@lru_cache
def _statement(table: Table, dialect: str) -> Executable:
    """Return the insert; it returns a row for what it inserts (counts of rows are no help here)."""
    done: ColumnElement[int] = literal_column("1").label("inserted")
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing().returning(done)
    return postgresql.insert(table).on_conflict_do_nothing().returning(done)


def insert_missing(tx: Transaction, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row; return False, with nothing done, where a unique constraint already holds it.

    On PostgreSQL it waits for a transaction that is inserting the same and decides by its outcome.
    """
    return tx.scalar(_statement(table, tx.dialect), row) is not None
