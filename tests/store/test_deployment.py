from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from hanok.engine.clock import VirtualClock
from hanok.store import deployment
from hanok.store.database import Database
from tests.region_store import region_store


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


def test_a_fact_is_noted_and_noted_again(store: Database) -> None:
    with store.write() as tx:
        assert deployment.value(tx, "tiny_image") is None
        deployment.set_value(tx, "tiny_image", "one")
        deployment.set_value(tx, "other", "kept")
        deployment.set_value(tx, "tiny_image", "two")
    with store.read() as reader:
        assert deployment.value(reader, "tiny_image") == "two"
        assert deployment.value(reader, "other") == "kept"


def test_the_id_is_chosen_once(store: Database) -> None:
    clock = VirtualClock()
    with store.write() as tx:
        chosen = deployment.identifier(tx, clock)
    with store.write() as tx:
        assert deployment.identifier(tx, clock) == chosen
        assert deployment.value(tx, "id") == chosen
    assert re.fullmatch("[0-9a-f]{8}", chosen)
