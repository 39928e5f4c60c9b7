from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from sqlalchemy import insert

from hanok.model.network_quota import NetworkQuota
from hanok.model.quota import Quota, Usage
from hanok.store import network_quotas, quotas, servers
from hanok.store.database import Database
from hanok.store.region_tables import quotas as quotas_table
from tests.region_store import MINE, NOW, OTHER, a_server, region_store


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


def test_limits_are_the_defaults_until_changed(store: Database) -> None:
    with store.write() as tx:
        assert quotas.limits_of(tx, MINE) == Quota()
        assert quotas.change(tx, MINE, {"cores": 40}) == Quota(cores=40)
        assert quotas.change(tx, MINE, {"ram_mib": -1}) == Quota(cores=40, ram_mib=-1)
    with store.write() as tx:
        assert quotas.limits_of(tx, MINE) == Quota(cores=40, ram_mib=-1)
        assert quotas.limits_of(tx, OTHER) == Quota()
        quotas.reset(tx, MINE)
        assert quotas.limits_of(tx, MINE) == Quota()


def test_a_limit_of_another_release_does_no_harm(store: Database) -> None:
    with store.write() as tx:
        tx.run(insert(quotas_table).values(project_id=MINE, limits={"cores": 1, "moons": 2}))
        assert quotas.limits_of(tx, MINE) == Quota(cores=1)


def test_use_is_counted_from_servers_that_are_there(store: Database) -> None:
    with store.write() as tx:
        assert quotas.usage_of(tx, MINE) == Usage(0, 0, 0)
        servers.add(tx, a_server(1))
        servers.add(tx, a_server(2, vm_state="error", vcpus=1, ram_mib=1024))
        servers.add(tx, a_server(3, vm_state="deleted", terminated_at=NOW))
        servers.add(tx, a_server(4, project_id=OTHER))
        assert quotas.usage_of(tx, MINE) == Usage(instances=2, cores=3, ram_mib=5120)


def test_a_server_between_two_sizes_takes_the_larger_of_each_measure(store: Database) -> None:
    with store.write() as tx:
        servers.add(tx, a_server(1, vcpus=2, ram_mib=4096, resized={"vcpus": 4, "ram_mib": 1024}))
        servers.add(tx, a_server(2, vcpus=2, ram_mib=4096, resized={"vcpus": 1, "ram_mib": 8192}))
        servers.add(tx, a_server(3, vcpus=1, ram_mib=1024, resized={"confirmed_at": NOW}))
        assert quotas.usage_of(tx, MINE) == Usage(instances=3, cores=7, ram_mib=13_312)


def test_under_the_lock_no_two_pass_one_limit(store: Database) -> None:
    """fault_29: several requests at a limit less one."""
    barrier = Barrier(4)

    def take(number: int) -> bool:
        barrier.wait(10)
        with store.write() as tx:
            quotas.lock(tx, MINE)
            if quotas.usage_of(tx, MINE).instances >= 1:
                return False
            servers.add(tx, a_server(number))
            return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(take, range(4))) == [False, False, False, True]


def test_a_reset_waits_for_who_changes_the_limits_of_another_service(store: Database) -> None:
    """Both are in one row: what was read before the other's commit must not be written after."""
    with store.write() as tx:
        quotas.change(tx, MINE, {"cores": 40})

    def reset() -> None:
        with store.write() as tx:
            quotas.reset(tx, MINE)

    with ThreadPoolExecutor(1) as thread:
        with store.write() as tx:
            network_quotas.change(tx, MINE, {"port": 3})
            resetting = thread.submit(reset)
            with suppress(TimeoutError):
                resetting.result(0.3)
        resetting.result(10)
    with store.read() as reader:
        assert quotas.limits_of(reader, MINE) == Quota()
        assert network_quotas.limits_of(reader, MINE) == NetworkQuota(port=3)
