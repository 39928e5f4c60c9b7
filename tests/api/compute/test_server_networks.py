from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.api.compute.server_networks import Interface, interfaces
from hanok.model.errors import Conflict, HanokError, Invalid
from hanok.model.server_create import Nic
from hanok.store import networks, ports
from hanok.store.database import Database, Transaction
from tests.region_store import MINE, NOW, OTHER, region_store, uuid
from tests.store.network_rows import a_network, a_subnet

ONE, TWO, BARE, THEIRS = uuid(1), uuid(2), uuid(3), uuid(4)
SUB_ONE, SUB_TWO, SUB_TWIN, SUB_THEIRS = uuid(11), uuid(12), uuid(13), uuid(14)
PORT, LENT, FOREIGN = uuid(21), uuid(22), uuid(23)


def a_port(tx: Transaction, port_id: str, **more: str | None) -> None:
    wanted = {"project_id": MINE, "network_id": ONE, "server_id": None, **more}
    ports.allocate(
        tx,
        ports.Allocation(
            port_id=port_id,
            network_id=str(wanted["network_id"]),
            subnet_id=None,
            address=None,
            project_id=str(wanted["project_id"]),
            server_id=None,
            position=0,
            group_ids=(),
        ),
        NOW,
    )


@pytest.fixture
def store(database_url: str) -> Iterator[Database]:
    """Two networks of ours (10.0.0 and 10.0.1), one without subnets, another project's."""
    with region_store(database_url) as database:
        with database.write() as tx:
            for number in (1, 2, 3):
                networks.add(tx, a_network(number))
            networks.add(tx, a_network(4, project_id=OTHER))
            networks.add_subnet(tx, a_subnet(11, ONE))
            networks.add_subnet(tx, a_subnet(12, TWO, cidr="10.0.1.0/24", gateway_ip="10.0.1.1"))
            networks.add_subnet(tx, a_subnet(13, TWO, cidr="10.9.0.0/24", gateway_ip=None))
            networks.add_subnet(tx, a_subnet(14, THEIRS, project_id=OTHER, cidr="10.3.0.0/24"))
            a_port(tx, PORT)
            a_port(tx, LENT)
            ports.change(tx, LENT, {"device_id": "somebody"}, NOW)
            a_port(tx, FOREIGN, project_id=OTHER, network_id=THEIRS)
        yield database


def resolve(store: Database, *wanted: Nic) -> tuple[Interface, ...]:
    with store.read() as reader:
        return interfaces(reader, MINE, wanted)


def test_each_way_to_name_an_interface_finds_it(store: Database) -> None:
    cases = [
        (Nic(network_id=ONE), Interface(ONE)),
        (Nic(network_id=TWO, address="10.9.0.7"), Interface(TWO, SUB_TWIN, "10.9.0.7")),
        (Nic(subnet_id=SUB_TWO), Interface(TWO, SUB_TWO)),
        (Nic(network_id=TWO, subnet_id=SUB_TWO), Interface(TWO, SUB_TWO)),
        (Nic(subnet_id=SUB_ONE, address="10.0.0.9"), Interface(ONE, SUB_ONE, "10.0.0.9")),
        (Nic(address="10.0.1.20"), Interface(TWO, SUB_TWO, "10.0.1.20")),
        (Nic(port_id=PORT), Interface(ONE, port_id=PORT, existing=True)),
        (Nic(network_id=TWO, port_id=PORT), Interface(ONE, port_id=PORT, existing=True)),
    ]
    for nic, found in cases:
        assert resolve(store, nic) == (found,)


def test_several_keep_their_order_and_may_be_on_one_network(store: Database) -> None:
    found = resolve(store, Nic(network_id=TWO), Nic(network_id=ONE), Nic(network_id=TWO))
    assert [one.network_id for one in found] == [TWO, ONE, TWO]


def test_none_wanted_is_none(store: Database) -> None:
    assert resolve(store) == ()


@pytest.mark.parametrize(
    ("nic", "error", "text"),
    [
        (Nic(network_id=uuid(99)), Invalid, f"Network {uuid(99)} could not be found."),
        (Nic(network_id=THEIRS), Invalid, f"Network {THEIRS} could not be found."),
        (Nic(network_id=BARE), Invalid, "requires a subnet in order to boot"),
        (Nic(network_id=ONE, address="10.0.1.9"), Invalid, "is not a valid ip address for"),
        (Nic(subnet_id=uuid(99)), Invalid, f"Subnet {uuid(99)} could not be found."),
        (Nic(subnet_id=SUB_THEIRS), Invalid, "could not be found."),
        (Nic(subnet_id=SUB_ONE, network_id=TWO), Invalid, "does not belong to network"),
        (Nic(subnet_id=SUB_ONE, address="10.0.1.9"), Invalid, "cannot be used in subnet"),
        (Nic(address="10.0.0.0"), Invalid, "cannot be used in subnet"),
        (Nic(address="10.0.0.255"), Invalid, "cannot be used in subnet"),
        (Nic(address="10.0.0.1"), Invalid, "cannot be used in subnet"),
        (Nic(address="10.0.0.2"), Invalid, "already in use"),
        (Nic(address="10.3.0.9"), Invalid, "does not lie in any subnet"),
        (Nic(address="10.0.0"), Invalid, "not an IPv4 address"),
        (Nic(address="::1"), Invalid, "not an IPv4 address"),
        (Nic(port_id=uuid(99)), Invalid, f"Port id {uuid(99)} could not be found."),
        (Nic(port_id=FOREIGN), Invalid, "could not be found."),
        (Nic(port_id=LENT), Conflict, "is still in use."),
    ],
)
def test_what_cannot_be_is_refused_in_nova_s_words(
    store: Database, nic: Nic, error: type[HanokError], text: str
) -> None:
    with pytest.raises(error) as caught:
        resolve(store, nic)
    assert text in caught.value.message


def test_a_port_is_named_once(store: Database) -> None:
    with pytest.raises(Invalid, match="twice"):
        resolve(store, Nic(port_id=PORT), Nic(port_id=PORT))


def test_an_address_is_named_once_in_whatever_way(store: Database) -> None:
    with pytest.raises(Invalid, match="fixed IP is named twice"):
        resolve(store, Nic(address="10.0.0.20"), Nic(subnet_id=SUB_ONE, address="10.0.0.20"))
    assert len(resolve(store, Nic(address="10.0.0.20"), Nic(address="10.0.0.21"))) == 2
    assert len(resolve(store, Nic(subnet_id=SUB_ONE), Nic(subnet_id=SUB_ONE))) == 2


def test_an_address_in_two_subnets_is_ambiguous(store: Database) -> None:
    with store.write() as tx:
        networks.add_subnet(tx, a_subnet(15, BARE, cidr="10.0.0.0/16", gateway_ip=None))
    with pytest.raises(Invalid, match="several subnets"):
        resolve(store, Nic(address="10.0.0.20"))
    assert resolve(store, Nic(subnet_id=SUB_ONE, address="10.0.0.20"))


def test_unnamed_is_the_only_network_and_ambiguous_where_there_are_more(store: Database) -> None:
    with store.read() as reader:
        with pytest.raises(Conflict, match="Multiple possible networks found"):
            interfaces(reader, MINE, None)
        assert interfaces(reader, OTHER, None) == (Interface(THEIRS),)
        assert interfaces(reader, "c" * 32, None) == ()


def test_the_only_network_needs_a_subnet_like_one_that_is_named(store: Database) -> None:
    with store.write() as tx:
        networks.add(tx, a_network(5, project_id="c" * 32))
        with pytest.raises(Invalid, match=f"Network {uuid(5)} requires a subnet"):
            interfaces(tx, "c" * 32, None)


def test_a_network_to_the_outside_is_nobody_s_default(store: Database) -> None:
    with store.write() as tx:
        networks.add(tx, a_network(5, project_id="c" * 32, shared=True, external=True))
    with store.read() as reader:
        assert interfaces(reader, OTHER, None) == (Interface(THEIRS),)
