"""A region's store as the migrations leave it: made once in this process, then copied.

Migrations take a hundred times longer than a copy, and tests/store/test_migrate.py tests them.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy.engine import make_url

from hanok.store import migrate
from hanok.store.database import Database

SCHEMA = "hanok_test"


def open_region(url: str) -> tuple[Database, bool]:
    """Open a region's store, made first where nothing is; say whether it was made."""
    path = make_url(url).database or ""
    fresh = url.startswith("sqlite") and not Path(path).exists()
    if fresh:
        Path(path).write_bytes(_template())
    database = Database(url, schema=SCHEMA)
    made = not fresh and migrate.prepare(database, migrate.REGION) == "made"
    return database, fresh or made


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory(prefix="hanok-template-") as folder:
        database = Database(f"sqlite:///{folder}/made.db", schema=SCHEMA)
        migrate.prepare(database, migrate.REGION)
        migrate.backup(database, Path(folder) / "copy.db")
        database.close()
        return (Path(folder) / "copy.db").read_bytes()
