"""Insert what is not there yet, safe against another transaction that does the same."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from hanok.store.database import Transaction


@lru_cache
def _statement(table: Table, dialect: str) -> postgresql.Insert | sqlite.Insert:
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def insert_missing(tx: Transaction, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row; return False, with nothing done, where a unique constraint already holds it.

    On PostgreSQL it waits for a transaction that is inserting the same and decides by its outcome.
    """
    return tx.run(_statement(table, tx.dialect), row) > 0
