from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from hanok.model.key_pair import KeyPair
from hanok.store import key_pairs
from hanok.store.database import Database
from tests.region_store import MINE, NOW, OTHER, region_store


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


def pair(name: str, user_id: str = MINE) -> KeyPair:
    return KeyPair(0, user_id, name, f"ssh-rsa {name}", "SHA256:x", NOW)


def test_key_pairs_belong_to_users_by_name(store: Database) -> None:
    with store.write() as tx:
        first = key_pairs.add(tx, pair("b"))
        second = key_pairs.add(tx, pair("b", OTHER))
    assert first is not None
    assert second is not None
    assert 0 < first.id < second.id
    with store.read() as reader:
        assert key_pairs.get(reader, MINE, "b") == first
        assert key_pairs.get(reader, OTHER, "b") == second
        assert key_pairs.get(reader, MINE, "a") is None
        assert key_pairs.count(reader, MINE) == 1
    with store.write() as tx:
        assert key_pairs.remove(tx, MINE, "b")
        assert not key_pairs.remove(tx, MINE, "b")
        assert key_pairs.get(tx, OTHER, "b") == second
        third = key_pairs.add(tx, pair("b"))
    assert third is not None
    assert third.id > second.id, "an id is never used again"


def test_pages_follow_names(store: Database) -> None:
    with store.write() as tx:
        for name in ("c", "a", "d", "b"):
            key_pairs.add(tx, pair(name))
        key_pairs.add(tx, pair("aa", OTHER))
    with store.read() as reader:
        assert [one.name for one in key_pairs.page(reader, MINE, 3)] == ["a", "b", "c"]
        assert [one.name for one in key_pairs.page(reader, MINE, 3, "b")] == ["c", "d"]


def test_of_several_with_one_name_one_is_stored(store: Database) -> None:
    barrier = Barrier(4)

    def add_it(_number: int) -> bool:
        barrier.wait(10)
        with store.write() as tx:
            return key_pairs.add(tx, pair("same")) is not None

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(add_it, range(4))) == [False, False, False, True]


def test_the_lock_lets_a_count_hold_until_the_commit(store: Database) -> None:
    barrier = Barrier(4)

    def add_up_to_two(number: int) -> bool:
        barrier.wait(10)
        with store.write() as tx:
            key_pairs.lock(tx, MINE)
            if key_pairs.count(tx, MINE) >= 2:
                return False
            return key_pairs.add(tx, pair(f"k{number}")) is not None

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(add_up_to_two, range(4))) == [False, False, True, True]
