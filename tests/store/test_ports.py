from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.model.errors import Conflict, NotFound
from hanok.model.port import FixedIp, MacTaken, Wish
from hanok.model.security_group import SecurityGroup
from hanok.store import networks, ports, security_groups, servers
from hanok.store.database import Database
from tests.region_store import MINE, NOW, OTHER, a_server, region_store, uuid
from tests.store.network_rows import a_network, a_port, a_subnet

NETWORK, SUBNET, GROUP, SERVER = uuid(1), uuid(2), uuid(3), uuid(4)
ONE = a_subnet(2, NETWORK)


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        with database.write() as tx:
            networks.add(tx, a_network(1))
            networks.add_subnet(tx, ONE)
            security_groups.add(tx, SecurityGroup(GROUP, MINE, "web", "", NOW, NOW))
            servers.add(tx, a_server(4))
            servers.add(tx, a_server(5))
        yield database


def wanted(number: int, server_id: str | None = None, **changes: str | None) -> ports.Allocation:
    return ports.Allocation(
        port_id=uuid(number),
        network_id=changes.get("network_id") or NETWORK,
        subnet_id=changes.get("subnet_id"),
        address=changes.get("address"),
        project_id=MINE,
        server_id=server_id,
        position=0,
        group_ids=(changes.get("group") or GROUP,),
    )


def test_a_port_is_allocated_once(store: Database) -> None:
    with store.write() as tx:
        port = ports.allocate(tx, wanted(9, SERVER), NOW)
        assert ports.allocate(tx, wanted(9, SERVER), NOW + 5) == port
        assert port.fixed_ips == (FixedIp(SUBNET, "10.0.0.2"),)
        assert (port.group_ids, port.created_for_server) == ((GROUP,), True)
        assert (port.device_owner, port.device_id) == ("compute:nova", SERVER)
        assert ports.address_taken(tx, SUBNET, "10.0.0.2")
        assert ports.of_server(tx, SERVER) == ports.of_project(tx, MINE) == [port]
        assert ports.get_of_project(tx, MINE, port.id) == port
        assert ports.get_of_project(tx, OTHER, port.id) is None


def test_what_is_not_there_or_taken_is_refused(store: Database) -> None:
    with store.write() as tx:
        ports.allocate(tx, wanted(9, address="10.0.0.9"), NOW)
    for one, error in (
        (wanted(10, address="10.0.0.9"), Conflict),
        (wanted(10, subnet_id=uuid(77)), Conflict),
        (wanted(10, network_id=uuid(77)), NotFound),
        (wanted(10, group=uuid(77)), NotFound),
    ):
        with pytest.raises(error), store.write() as tx:
            ports.allocate(tx, one, NOW)
    with store.read() as reader:
        assert [port.id for port in ports.of_project(reader, MINE)] == [uuid(9)]


def test_macs_differ_although_ids_begin_alike(store: Database) -> None:
    with store.write() as tx:
        made = [ports.allocate(tx, wanted(number), NOW) for number in range(20, 30)]
    assert len({port.mac_address for port in made}) == 10
    assert all(port.mac_address.startswith("fa:16:3e:") for port in made)


def test_a_mac_is_given_once_in_a_network(store: Database) -> None:
    with store.write() as tx:
        first = ports.make(tx, a_port(20, NETWORK), ())
        second = ports.make(tx, a_port(21, NETWORK), ())
        assert not ports.change(tx, second.id, {"mac_address": first.mac_address}, NOW)
        assert ports.change(tx, first.id, {"mac_address": first.mac_address}, NOW)
        networks.add(tx, a_network(8))
        ports.make(tx, a_port(22, uuid(8), mac_address=first.mac_address), ())
    with pytest.raises(MacTaken), store.write() as tx:
        ports.make(tx, a_port(23, NETWORK, mac_address=first.mac_address), ())


def test_addresses_and_groups_are_replaced(store: Database) -> None:
    with store.write() as tx:
        port = ports.allocate(tx, wanted(9), NOW)
        ports.set_addresses(tx, port, port.fixed_ips, [Wish(NETWORK, (ONE,), "10.0.0.77")])
        port = ports.lock(tx, port.id) or port
        assert {ip.address for ip in port.fixed_ips} == {"10.0.0.2", "10.0.0.77"}
        ports.set_addresses(tx, port, (), [Wish(NETWORK, (ONE,))])
        ports.set_groups(tx, port, [])
        changed = ports.get(tx, port.id)
        assert changed is not None
        assert changed.fixed_ips == (FixedIp(SUBNET, "10.0.0.2"),)
        assert changed.group_ids == ()
        with pytest.raises(NotFound, match=uuid(77)):
            ports.set_groups(tx, port, [GROUP, uuid(77)])


def test_a_port_is_lent_bound_and_let_go(store: Database) -> None:
    with store.write() as tx:
        lent = ports.make(tx, a_port(20, NETWORK), (Wish(NETWORK, (ONE,)),))
        ports.attach(tx, lent.id, server_id=SERVER, zone="z", position=1, now=NOW)
        ports.attach(tx, lent.id, server_id=SERVER, zone="z", position=1, now=NOW)
        with pytest.raises(Conflict, match="in use"):
            ports.attach(tx, lent.id, server_id=uuid(5), zone="z", position=0, now=NOW)
        with pytest.raises(NotFound):
            ports.attach(tx, uuid(77), server_id=SERVER, zone="z", position=0, now=NOW)
        assert [port.device_owner for port in ports.of_server(tx, SERVER)] == ["compute:z"]
        ports.bind(tx, lent.id, host_id=None, status="ACTIVE", now=NOW)
        own = ports.allocate(tx, wanted(9, SERVER), NOW)
        assert [port.id for port in ports.of_server(tx, SERVER)] == [own.id, lent.id]
        ports.let_go(tx, lent.id, uuid(5), NOW)
        assert len(ports.of_server(tx, SERVER)) == 2
        for port in (own, lent):
            ports.let_go(tx, port.id, SERVER, NOW)
        assert ports.get(tx, own.id) is None
        free = ports.get(tx, lent.id)
        assert free is not None
        assert (free.server_id, free.device_id, free.status) == (None, "", "DOWN")
        assert free.fixed_ips == lent.fixed_ips


def test_a_projects_ports_are_narrowed_by_their_columns(store: Database) -> None:
    with store.write() as tx:
        for number in (20, 21, 22):
            ports.make(tx, a_port(number, NETWORK, device_id=f"d{number % 2}"), ())
        assert [p.id for p in ports.of_project(tx, MINE, {"device_id": ["d0"]})] == [
            *map(uuid, (20, 22))
        ]
        both = {"device_id": ["d0", "d1"], "name": ["port-21"]}
        assert [p.id for p in ports.of_project(tx, MINE, both)] == [uuid(21)]
