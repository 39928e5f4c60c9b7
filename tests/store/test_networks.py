from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.store import networks, ports
from hanok.store.database import Database
from tests.region_store import MINE, NOW, OTHER, region_store, uuid
from tests.store.network_rows import a_network, a_port, a_subnet


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        with database.write() as tx:
            networks.add(tx, a_network(1))
            networks.add(tx, a_network(2, project_id=OTHER))
            networks.add(tx, a_network(3, project_id=OTHER, shared=True))
            networks.add_subnet(tx, a_subnet(11, uuid(1)))
            networks.add_subnet(tx, a_subnet(13, uuid(3), project_id=OTHER))
        yield database


def test_a_project_sees_its_own_and_what_is_shared(store: Database) -> None:
    with store.read() as reader:
        assert [one.id for one in networks.visible(reader, MINE)] == [uuid(1), uuid(3)]
        assert networks.network(reader, MINE, uuid(2)) is None
        assert networks.network(reader, OTHER, uuid(2)) == a_network(2, project_id=OTHER)
        assert networks.find(reader, uuid(2)) is not None
        assert networks.find(reader, uuid(9)) is None
        assert [one.id for one in networks.all_subnets(reader, MINE)] == [uuid(11), uuid(13)]
        assert networks.subnet(reader, MINE, uuid(13)) is not None
        assert networks.subnet(reader, OTHER, uuid(11)) is None
        assert networks.subnets_of(reader, uuid(1)) == [a_subnet(11, uuid(1))]


def test_columns_change(store: Database) -> None:
    with store.write() as tx:
        networks.change(tx, uuid(1), {"name": "new"}, NOW + 99)
        networks.change_subnet(tx, uuid(11), {"gateway_ip": None, "dns_nameservers": ["x"]}, NOW)
    with store.read() as reader:
        assert networks.find(reader, uuid(1)) == a_network(1, name="new", updated_at=NOW + 99)
        [subnet] = networks.subnets_of(reader, uuid(1))
        assert (subnet.gateway_ip, subnet.dns_nameservers) == (None, ["x"])


def test_what_has_ports_stays(store: Database) -> None:
    with store.write() as tx:
        subnet = a_subnet(11, uuid(1))
        wanted = ports.Allocation(uuid(5), uuid(1), None, None, MINE, None, 0, ())
        ports.allocate(tx, wanted, NOW)
        assert networks.has_ports(tx, uuid(1))
        assert not networks.has_ports(tx, uuid(1), but_of=MINE)
        assert networks.has_ports(tx, uuid(1), but_of=OTHER)
        assert networks.has_addresses(tx, uuid(11))
        assert not networks.remove(tx, uuid(1))
        assert not networks.remove_subnet(tx, subnet)
        ports.remove(tx, uuid(5))
        assert networks.remove_subnet(tx, subnet)
        ports.make(tx, a_port(6, uuid(1)), ())
        assert not networks.remove(tx, uuid(1))
        ports.remove(tx, uuid(6))
        assert networks.remove(tx, uuid(1))
        assert networks.find(tx, uuid(1)) is None


def test_a_network_goes_with_its_subnets(store: Database) -> None:
    with store.write() as tx:
        assert networks.hold(tx, uuid(1))
        assert networks.hold(tx, uuid(1), alone=True)
        assert networks.remove(tx, uuid(1))
        assert networks.subnets_of(tx, uuid(1)) == []
        assert not networks.hold(tx, uuid(1))
