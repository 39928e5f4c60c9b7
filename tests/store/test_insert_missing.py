from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from hanok.store.database import Database
from hanok.store.insert_missing import insert_missing
from hanok.store.region_tables import projects, zones
from tests.region_store import region_store


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


def test_the_first_one_counts(store: Database) -> None:
    with store.write() as tx:
        assert insert_missing(tx, zones, {"name": "a", "available": True})
        assert not insert_missing(tx, zones, {"name": "a", "available": False})
        assert tx.scalar(select(zones.c.available)) is True


def test_what_breaks_another_rule_is_no_silent_success(store: Database) -> None:
    with pytest.raises(IntegrityError), store.write() as tx:
        insert_missing(tx, zones, {"name": "a", "available": None})


def test_of_several_at_once_one_inserts(store: Database) -> None:
    barrier = Barrier(4)

    def insert_it(_number: int) -> bool:
        barrier.wait(10)
        with store.write() as tx:
            return insert_missing(tx, projects, {"id": "p" * 32})

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(insert_it, range(4))) == [False, False, False, True]
    with store.read() as reader:
        assert reader.scalar(select(func.count()).select_from(projects)) == 1
