"""A region's store as the migrations leave it: made once in this process, then copied.

Migrations take many times longer than a copy, and tests/store/test_migrate.py tests them. SQLite's
file is copied; on PostgreSQL the statements of the first run are run again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.engine import make_url

from hanok.store import migrate
from hanok.store.database import Database

SCHEMA = "hanok_test"
_recorded: list[tuple[str, Any]] = []


def open_region(url: str, fill: Callable[[Database], None] | None = None) -> Database:
    """Open a region's store, made first where nothing is, with what `fill` puts into it."""
    if url.startswith("sqlite"):
        path = Path(make_url(url).database or "")
        if not path.exists():
            path.write_bytes(_content(fill))
        return Database(url, schema=SCHEMA)
    database = Database(url, schema=SCHEMA)
    if not inspect(database.engine).has_table("servers", schema=SCHEMA):
        (_run_again if _recorded else _record)(database)
        if fill is not None:
            fill(database)
    return database


@cache
def _content(fill: Callable[[Database], None] | None) -> bytes:
    with tempfile.TemporaryDirectory(prefix="hanok-template-") as folder:
        database = Database(f"sqlite:///{folder}/made.db", schema=SCHEMA)
        migrate.prepare(database, migrate.REGION)
        if fill is not None:
            fill(database)
        migrate.backup(database, Path(folder) / "copy.db")
        database.close()
        return (Path(folder) / "copy.db").read_bytes()


def _record(database: Database) -> None:
    """Migrate, and keep what was said to the database."""

    def keep(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        _recorded.append((statement, values))

    event.listen(database.engine, "before_cursor_execute", keep)
    migrate.prepare(database, migrate.REGION)
    event.remove(database.engine, "before_cursor_execute", keep)


def _run_again(database: Database) -> None:
    with database.engine.begin() as connection:
        for statement, values in _recorded:
            connection.exec_driver_sql(statement, values)
