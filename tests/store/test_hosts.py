from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from hanok.model.host import TRANSLATION_CACHE_MIB, Claim, Host
from hanok.model.zone import Zone
from hanok.store import hosts, servers, zones
from hanok.store.database import Database, Transaction
from hanok.store.region_tables import claims
from tests.region_store import NOW, a_server, region_store, uuid

HERE = uuid(900)
SMALL = Claim(1, 1024, 10)


def a_host(**changes: Any) -> Host:
    made = Host(
        id=HERE,
        name="here",
        driver="simulated",
        accel="kvm",
        state="up",
        vcpus=49,
        ram_mib=49 * 1024,
        disk_gib=490,
        used_vcpus=0,
        used_ram_mib=0,
        used_disk_gib=0,
        seen_at=NOW,
        zones=("a", "b"),
    )
    return replace(made, **changes)


@contextmanager
def with_a_host(url: str) -> Iterator[Database]:
    with region_store(url) as database:
        with database.write() as tx:
            for name in ("a", "b"):
                zones.add(tx, Zone(name, available=True))
            hosts.register(tx, a_host())
            for number in range(60):
                servers.add(tx, a_server(number))
        yield database


@pytest.fixture
def store(database_url: str) -> Iterator[Database]:
    with with_a_host(database_url) as database:
        yield database


@pytest.fixture
def each_store(each_database_url: str) -> Iterator[Database]:
    with with_a_host(each_database_url) as database:
        yield database


def only(tx: Transaction) -> Host:
    [host] = hosts.all_hosts(tx)
    return host


def used(tx: Transaction) -> tuple[int, int, int]:
    host = only(tx)
    return host.used_vcpus, host.used_ram_mib, host.used_disk_gib


def test_a_host_is_listed_with_its_zones(store: Database) -> None:
    elsewhere = a_host(id=uuid(901), name="elsewhere", zones=())
    with store.write() as tx:
        hosts.register(tx, elsewhere)
        assert hosts.all_hosts(tx) == [elsewhere, a_host()]


def test_a_known_host_is_measured_again_and_keeps_its_claims_and_zones(store: Database) -> None:
    grown = a_host(name="renamed", vcpus=64, state="joining", seen_at=NOW + 1, zones=("a",))
    with store.write() as tx:
        assert hosts.claim(tx, uuid(1), HERE, SMALL)
        hosts.register(tx, grown)
        assert only(tx) == replace(
            a_host(used_vcpus=1, used_ram_mib=1024, used_disk_gib=10),
            vcpus=64,
            state="joining",
            seen_at=NOW + 1,
        )


@pytest.mark.parametrize("state", ["joining", "down"])
def test_nothing_is_claimed_on_a_host_that_is_not_up(store: Database, state: str) -> None:
    with store.write() as tx:
        hosts.set_state(tx, HERE, state, NOW + 5)
        assert (only(tx).state, only(tx).seen_at) == (state, NOW + 5)
        assert not hosts.claim(tx, uuid(1), HERE, SMALL)
        assert used(tx) == (0, 0, 0)


@pytest.mark.parametrize("too_much", [Claim(50, 1, 1), Claim(1, 50_177, 1), Claim(1, 1, 491)])
def test_what_does_not_fit_takes_nothing(store: Database, too_much: Claim) -> None:
    with store.write() as tx:
        assert not hosts.claim(tx, uuid(1), HERE, too_much)
        assert used(tx) == (0, 0, 0)
        assert hosts.claimed(tx) == []
        assert hosts.claim(tx, uuid(1), HERE, Claim(49, 50_176, 490)), "all of it fits"


def test_a_claim_is_held_once_and_given_back_once(store: Database) -> None:
    with store.write() as tx:
        for _ in range(2):
            assert hosts.claim(tx, uuid(1), HERE, SMALL)
        hosts.register(tx, a_host(id=uuid(901), name="elsewhere"))
        assert not hosts.claim(tx, uuid(1), uuid(901), SMALL), "it holds one on another host"
        assert hosts.claimed(tx) == [(uuid(1), HERE)]
        for _ in range(2):
            hosts.release(tx, uuid(1))
        assert hosts.claimed(tx) == []
        assert [host.used_vcpus for host in hosts.all_hosts(tx)] == [0, 0]


def test_fault_26_fifty_at_once_for_forty_nine_places(each_store: Database) -> None:
    together = 10
    barrier = Barrier(together)

    def take(number: int) -> bool:
        barrier.wait(30)
        with each_store.write() as tx:
            return hosts.claim(tx, uuid(number), HERE, SMALL)

    with ThreadPoolExecutor(together) as threads:
        taken = list(threads.map(take, range(50)))
    assert taken.count(True) == 49
    with each_store.write() as tx:
        host = only(tx)
        assert used(tx) == (host.vcpus, host.ram_mib, host.disk_gib)
        assert tx.scalar(select(func.count()).select_from(claims)) == 49
        refused = uuid(taken.index(False))
        hosts.release(tx, uuid(taken.index(True)))
        assert hosts.claim(tx, refused, HERE, SMALL), "a place that is given back is there again"


def test_fault_27_a_claim_that_changes_is_never_counted_twice(store: Database) -> None:
    with store.write() as tx:
        assert hosts.claim(tx, uuid(1), HERE, SMALL)
        for _ in range(2):
            assert hosts.resize_claim(tx, uuid(1), Claim(4, 4096, 0))
            assert used(tx) == (4, 4096, 10), "the disk stays"
        for _ in range(2):
            assert hosts.resize_claim(tx, uuid(1), Claim(2, 2048, 0))
            assert used(tx) == (2, 2048, 10)
        hosts.release(tx, uuid(1))
        assert used(tx) == (0, 0, 0)


def test_a_claim_grows_only_into_room_and_shrinks_on_a_full_host(store: Database) -> None:
    with store.write() as tx:
        hosts.claim(tx, uuid(1), HERE, Claim(10, 1024, 1))
        hosts.claim(tx, uuid(2), HERE, Claim(39, 1024, 1))
        assert not hosts.resize_claim(tx, uuid(1), Claim(11, 1024, 0))
        assert not hosts.resize_claim(tx, uuid(1), Claim(1, 49 * 1024, 0))
        assert used(tx) == (49, 2048, 2)
        hosts.register(tx, a_host(vcpus=8))
        assert hosts.resize_claim(tx, uuid(1), Claim(9, 1024, 0)), "smaller, if still too much"
        assert used(tx) == (48, 2048, 2)


def test_a_resized_claim_keeps_what_the_domain_takes_beside_its_memory(store: Database) -> None:
    with store.write() as tx:
        hosts.register(tx, a_host(accel="tcg"))
        hosts.claim(tx, uuid(1), HERE, Claim(1, 1024 + TRANSLATION_CACHE_MIB, 0))
        assert hosts.resize_claim(tx, uuid(1), Claim(1, 2048, 0))
        assert only(tx).used_ram_mib == 2048 + TRANSLATION_CACHE_MIB


def test_a_host_is_seen_as_if_one_server_held_nothing(store: Database) -> None:
    with store.write() as tx:
        hosts.claim(tx, uuid(1), HERE, Claim(3, 1024, 5))
        hosts.claim(tx, uuid(2), HERE, Claim(1, 512, 2))
        [host] = hosts.without(tx, uuid(1))
        assert (host.used_vcpus, host.used_ram_mib, host.used_disk_gib) == (1, 512, 2)
        assert hosts.without(tx, uuid(3)) == []


def test_a_server_without_a_claim_has_nothing_to_resize(store: Database) -> None:
    with store.write() as tx:
        assert hosts.resize_claim(tx, uuid(1), Claim(1000, 1, 0))
        assert used(tx) == (0, 0, 0)


def test_more_is_never_given_back_than_was_taken(each_store: Database) -> None:
    """The database itself refuses a negative use, whatever a later bug does."""
    with each_store.write() as tx:
        hosts.claim(tx, uuid(1), HERE, SMALL)
        tx.run(claims.update().values(vcpus=2))
    with pytest.raises(IntegrityError), each_store.write() as tx:
        hosts.release(tx, uuid(1))
    with each_store.write() as tx:
        assert used(tx) == (1, 1024, 10)
