from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from hanok.model.moments import SECOND
from hanok.store import server_time
from hanok.store.database import Database

pytestmark = pytest.mark.postgres


@pytest.fixture
def store(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url, schema="public")
    yield database
    database.close()


def test_it_is_the_servers_time_in_microseconds(store: Database) -> None:
    """The server runs on this machine, so both clocks are one."""
    before = time.time_ns() // 1000
    told = server_time.now(store)
    after = time.time_ns() // 1000
    assert before - 1 <= told <= after + 1
    assert abs(told - time.time() * SECOND) < SECOND


def test_it_goes_on_from_one_question_to_the_next(store: Database) -> None:
    first = server_time.now(store)
    assert server_time.now(store) > first
