"""The database server's time, so that processes on several machines agree."""

from __future__ import annotations

from sqlalchemy import text

from hanok.store.database import Database

_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")


def now(database: Database) -> int:
    """Return PostgreSQL's time in microseconds since 1970."""
    with database.read() as reader:
        return int(reader.scalar(_NOW))
