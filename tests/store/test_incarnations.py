from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.store import incarnations
from hanok.store.database import Database
from tests.region_store import region_store, uuid


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


def test_processes_are_noted_with_their_keys_and_forgotten(store: Database) -> None:
    with store.write() as tx:
        incarnations.register(tx, uuid(1), 2**56 - 1, 10)
        incarnations.register(tx, uuid(2), 7, 11)
        incarnations.register(tx, uuid(3), 8, 12)
    with store.write() as tx:
        incarnations.forget(tx, [uuid(2), uuid(9)])
        incarnations.forget(tx, [])
    with store.read() as reader:
        found = {(row.id, row.lock_key) for row in incarnations.registered(reader)}
    assert found == {(uuid(1), 2**56 - 1), (uuid(3), 8)}
