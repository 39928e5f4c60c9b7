from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from hanok.store import volumes
from hanok.store.database import Database
from hanok.store.json_pairs import has_pair, number_at
from hanok.store.region_tables import volumes as table
from tests.region_store import region_store
from tests.store.volume_rows import a_volume

ODD = {'a"$.[0]': "x", "a": "1", "": "empty", "한": "글 ' \" \\", "n": "null"}


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        with database.write() as tx:
            volumes.add(tx, a_volume(1, metadata=ODD))
            volumes.add(tx, a_volume(2, metadata={}))
        yield database


def test_a_pair_is_found_whatever_its_key(store: Database) -> None:
    for key, value in ODD.items():
        assert found(store, key, value) == [a_volume(1).id]


def test_no_other_pair_is(store: Database) -> None:
    for key, value in (("a", "2"), ("b", "1"), ("A", "1"), ("a", ""), ("%", "1")):
        assert found(store, key, value) == []


def found(store: Database, key: str, value: str) -> list[str]:
    statement = select(table.c.id).where(has_pair(table.c.metadata, key, value))
    with store.read() as reader:
        return [row.id for row in reader.rows(statement)]


def test_a_number_is_read_and_what_is_not_there_is_null(store: Database) -> None:
    with store.write() as tx:
        volumes.add(tx, a_volume(3, metadata={"a": 7, "b": None}))
        statement = select(table.c.id, number_at(table.c.metadata, "a").label("number"))
        rows = tx.rows(statement.where(table.c.id != a_volume(1).id).order_by(table.c.id))
        assert [(row.id, row.number) for row in rows] == [
            (a_volume(2).id, None),
            (a_volume(3).id, 7),
        ]
        third = select(number_at(table.c.metadata, "b")).where(table.c.id == a_volume(3).id)
        assert tx.scalar(third) is None
