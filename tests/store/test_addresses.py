from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import insert

from hanok.model.errors import Conflict
from hanok.model.network import Subnet
from hanok.model.port import AddressTaken, NoAddressLeft, Wish
from hanok.store import addresses, networks, ports
from hanok.store.database import Database, Transaction
from hanok.store.region_tables import fixed_ips
from hanok.store.region_tables import ports as ports_table
from tests.region_store import region_store, uuid
from tests.store.network_rows import a_network, a_port, a_subnet

NETWORK, SUBNET = uuid(1), uuid(2)


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


def subnet(tx: Transaction, cidr: str, start: str, end: str) -> Subnet:
    one = a_subnet(2, NETWORK, cidr=cidr, allocation_pools=[{"start": start, "end": end}])
    networks.add(tx, a_network(1))
    networks.add_subnet(tx, one)
    return one


def fill(tx: Transaction, first: str, count: int) -> None:
    """Take `count` addresses in a row for one port."""
    port = {name: getattr(a_port(9, NETWORK), name) for name in ports_table.columns.keys()}  # noqa: SIM118 - names
    tx.run(insert(ports_table), port)
    start = int(ipaddress.IPv4Address(first))
    rows = [
        {"subnet_id": SUBNET, "address": str(ipaddress.IPv4Address(n)), "port_id": uuid(9)}
        for n in range(start, start + count)
    ]
    tx.run(insert(fixed_ips), rows)


def release(tx: Transaction, address: str) -> None:
    tx.run(
        fixed_ips.delete().where(fixed_ips.c.subnet_id == SUBNET, fixed_ips.c.address == address)
    )


def test_the_lowest_free_ones_come_first(store: Database) -> None:
    with store.write() as tx:
        one = subnet(tx, "10.0.0.0/24", "10.0.0.9", "10.0.0.20")
        fill(tx, "10.0.0.9", 2)
        assert addresses.free(tx, one, 2) == ["10.0.0.11", "10.0.0.12"]
        release(tx, "10.0.0.9")
        assert addresses.free(tx, one, 2) == ["10.0.0.9", "10.0.0.11"]
        assert len(addresses.free(tx, one, 99)) == 11
        assert addresses.counts(tx, [SUBNET, uuid(7)]) == {SUBNET: 1}
        assert addresses.taken(tx, SUBNET, "10.0.0.10")
        assert not addresses.taken(tx, SUBNET, "10.0.0.9")


def test_the_next_pool_is_used_when_one_is_full(store: Database) -> None:
    with store.write() as tx:
        one = subnet(tx, "10.0.0.0/24", "10.0.0.9", "10.0.0.10")
        fill(tx, "10.0.0.9", 2)
        assert addresses.free(tx, one, 1) == []
        more = [*one.allocation_pools, {"start": "10.0.0.50", "end": "10.0.0.50"}]
        assert addresses.free(tx, replace(one, allocation_pools=more), 1) == ["10.0.0.50"]


@pytest.mark.parametrize("count", [63, 64, 65, 1000, 5000])
def test_a_pool_filled_from_below_gives_the_lowest_free(store: Database, count: int) -> None:
    with store.write() as tx:
        one = subnet(tx, "10.0.0.0/16", "10.0.0.1", "10.0.255.254")
        fill(tx, "10.0.0.1", count)
        expected = str(ipaddress.IPv4Address("10.0.0.1") + count)
        assert addresses.free(tx, one, 1) == [expected]


@pytest.mark.parametrize("gap", ["10.0.2.77", "10.0.15.254"])
def test_one_gap_in_a_full_pool_is_found(store: Database, gap: str) -> None:
    with store.write() as tx:
        one = subnet(tx, "10.0.0.0/20", "10.0.0.1", "10.0.15.254")
        fill(tx, "10.0.0.1", 4094)
        assert addresses.free(tx, one, 1) == []
        release(tx, gap)
        assert addresses.free(tx, one, 1) == [gap]


@pytest.mark.parametrize("gaps", [0, 1000])
def test_a_large_subnet_with_many_ports_stays_quick(
    store: Database, monkeypatch: pytest.MonkeyPatch, gaps: int
) -> None:
    """What is read tells, not the time: the machine may be busy."""
    read: list[int] = []
    rows = Transaction.rows

    def counted(tx: Transaction, *statement: Any) -> Any:
        found = rows(tx, *statement)
        read.append(len(found))
        return found

    with store.write() as tx:
        one = subnet(tx, "10.0.0.0/16", "10.0.0.1", "10.0.255.254")
        fill(tx, "10.0.0.1", 8000)
        for number in range(gaps):
            release(tx, str(ipaddress.IPv4Address("10.0.8.1") + number * 2))
    monkeypatch.setattr(Transaction, "rows", counted)
    for number in range(30, 40):
        read.clear()
        with store.write() as tx:
            ports.make(tx, a_port(number, NETWORK, mac_address=""), (Wish(NETWORK, (one,)),))
        assert sum(read) <= 6 * addresses.WINDOW, read
        assert len(read) <= 6, read


def test_an_address_is_given_once(store: Database) -> None:
    with store.write() as tx:
        one = subnet(tx, "10.0.0.0/24", "10.0.0.9", "10.0.0.9")
        wish = Wish(NETWORK, (one,), "10.0.0.200")
        for number in (5, 6, 7):
            ports.make(tx, a_port(number, NETWORK), ())
        assert addresses.take(tx, uuid(5), wish) == (SUBNET, "10.0.0.200")
        with pytest.raises(AddressTaken, match=r"10\.0\.0\.200"):
            addresses.take(tx, uuid(6), wish)
        assert addresses.take(tx, uuid(6), Wish(NETWORK, (one,))) == (SUBNET, "10.0.0.9")
        with pytest.raises(NoAddressLeft, match=NETWORK):
            addresses.take(tx, uuid(7), Wish(NETWORK, (one,)))


def test_of_twenty_at_once_nineteen_get_the_nineteen_addresses(store: Database) -> None:
    with store.write() as tx:
        subnet(tx, "10.0.0.0/24", "10.0.0.10", "10.0.0.28")
    barrier = Barrier(20)

    def allocate(number: int) -> str | None:
        barrier.wait(10)
        try:
            with store.write() as tx:
                wanted = ports.Allocation(
                    f"{number:08x}-0000-4000-8000-000000000000",
                    *(NETWORK, None, None, "a" * 32, None, 0, ()),
                )
                return ports.allocate(tx, wanted, 1).fixed_ips[0].address
        except Conflict:
            return None

    with ThreadPoolExecutor(20) as threads:
        got = [one for one in threads.map(allocate, range(20)) if one is not None]
    assert len(got) == 19
    assert set(got) == {f"10.0.0.{n}" for n in range(10, 29)}
    with store.read() as reader:
        assert addresses.counts(reader, [SUBNET]) == {SUBNET: 19}
        assert len(ports.of_project(reader, "a" * 32)) == 19
