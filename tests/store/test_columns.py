from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, delete, insert, literal, null, select, update

from hanok.store.columns import Instant, Json, Serial, json_rows
from hanok.store.database import Database

metadata = MetaData()
things = Table(
    "things",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Instant),
    Column("value", Json),
    sqlite_autoincrement=True,
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    database = Database(each_database_url, schema="public")
    metadata.create_all(database.engine)
    yield database
    database.close()


def test_what_json_can_say_comes_back_as_it_was(store: Database) -> None:
    with store.write() as tx:
        tx.run(insert(things).values(id=1))

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(VALUES)
    def comes_back(value: Any) -> None:
        with store.write() as tx:
            tx.run(update(things).values(value=value))
            assert tx.scalar(select(things.c.value)) == value

    comes_back()


def test_none_is_null_and_not_json_s_null(store: Database) -> None:
    with store.write() as tx:
        tx.run(insert(things), [{"value": None}, {"value": {"inside": None}}])
        assert len(tx.rows(select(things).where(things.c.value.is_(null())))) == 1
        assert [row.value for row in tx.rows(select(things).order_by(things.c.id))] == [
            None,
            {"inside": None},
        ]


def test_a_serial_counts_up_and_gives_no_number_twice(store: Database) -> None:
    returning = insert(things).returning(things.c.id)
    with store.write() as tx:
        first, second = (tx.scalar(returning, {"at": 0}) for _ in range(2))
        tx.run(delete(things))
        third = tx.scalar(returning, {"at": 0})
    assert first < second < third


def test_a_moment_has_room_beyond_32_bits(store: Database) -> None:
    with store.write() as tx:
        tx.run(insert(things).values(at=2**62))
        assert tx.scalar(select(things.c.at)) == 2**62


def test_rows_become_one_array_of_objects(store: Database) -> None:
    rows = json_rows({"number": things.c.id, "text": things.c.value, "same": literal("x")})
    with store.write() as tx:
        assert tx.scalar(select(rows)) == [], "no row is an empty array, not NULL"
        tx.run(insert(things), [{"id": 1, "value": 'quote " and 글'}, {"id": 2, "value": None}])
        found = tx.scalar(select(rows))
    assert sorted(found, key=lambda row: row["number"]) == [
        {"number": 1, "text": '"quote \\" and 글"', "same": "x"},
        {"number": 2, "text": None, "same": "x"},
    ]
