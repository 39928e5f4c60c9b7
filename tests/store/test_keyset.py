from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import insert, select

from hanok.store.database import Database
from hanok.store.keyset import SortKey, after, order
from hanok.store.region_tables import zones
from tests.region_store import region_store

ROWS = [("a", True), ("b", False), ("c", True), ("d", False), ("e", True)]


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        with database.write() as tx:
            tx.run(insert(zones), [{"name": name, "available": yes} for name, yes in ROWS])
        yield database


@pytest.mark.parametrize("first_descends", [False, True])
@pytest.mark.parametrize("last_descends", [False, True])
def test_pages_in_every_direction_hold_each_row_once(
    store: Database, first_descends: bool, last_descends: bool
) -> None:
    keys = (SortKey(zones.c.available, first_descends), SortKey(zones.c.name, last_descends))
    statement = select(zones.c.available, zones.c.name).order_by(*order(keys))
    wanted = sorted(((yes, name) for name, yes in ROWS), key=lambda row: row[1])
    wanted.sort(key=lambda row: row[1], reverse=last_descends)
    wanted.sort(key=lambda row: row[0], reverse=first_descends)
    with store.read() as reader:
        assert [tuple(row) for row in reader.rows(statement)] == wanted
        seen = []
        page = [tuple(row) for row in reader.rows(statement.limit(2))]
        while page:
            seen += page
            further = statement.where(after(keys, page[-1])).limit(2)
            page = [tuple(row) for row in reader.rows(further)]
    assert seen == wanted
