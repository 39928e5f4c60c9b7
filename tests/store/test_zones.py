from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.model.zone import Zone
from hanok.store import zones
from hanok.store.database import Database
from tests.region_store import region_store


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


def test_zones_are_listed_by_name_and_added_once(store: Database) -> None:
    with store.write() as tx:
        assert zones.add(tx, Zone("kr-pub-b", available=False))
        assert zones.add(tx, Zone("kr-pub-a", available=True))
        assert not zones.add(tx, Zone("kr-pub-a", available=False))
    with store.read() as reader:
        assert zones.all_zones(reader) == [Zone("kr-pub-a", True), Zone("kr-pub-b", False)]
