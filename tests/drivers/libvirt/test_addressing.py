from __future__ import annotations

from dataclasses import replace

import pytest

from hanok.drivers.base import NetworkSpec, PortSpec, SubnetSpec
from hanok.drivers.libvirt.addressing import check_addresses, parse_network, parse_port
from hanok.model.errors import HostError

SUBNET = SubnetSpec("subnet-1", "10.0.0.0/24", "10.0.0.1", ("192.0.2.53",))
LONE = SubnetSpec("subnet-2", "10.1.0.0/16", None)
NETWORK = NetworkSpec("network-1", 1450, (LONE, SUBNET))
PORT = PortSpec("port-1", "network-1", "FA:16:3E:00:00:01", (("subnet-1", "10.0.0.9"),), "web-1")


def test_a_network_has_its_gateways_addresses() -> None:
    segment = parse_network(NETWORK)
    assert [subnet.subnet_id for subnet in segment.subnets] == ["subnet-1", "subnet-2"]
    assert segment.own_addresses() == {"10.0.0.1/24", "169.254.169.252 peer 10.1.0.0/16"}


def test_a_spare_address_is_only_for_dhcp() -> None:
    segment = parse_network(replace(NETWORK, subnets=(replace(LONE, dhcp=False),)))
    assert segment.own_addresses() == frozenset()


@pytest.mark.parametrize(
    "subnet",
    [
        replace(SUBNET, cidr="10.0.0.1/24"),
        replace(SUBNET, cidr="fd00::/64", gateway=None),
        replace(SUBNET, cidr="10.0.0.0/33"),
        replace(SUBNET, cidr="10.0.0.0/24\nport=53"),
        replace(SUBNET, gateway="10.0.1.1"),
        replace(SUBNET, gateway="10.0.0.1 dev lo"),
        replace(SUBNET, dns=("one.example",)),
        replace(SUBNET, dns=("192.0.2.1\ndhcp-script=/bin/sh",)),
    ],
)
def test_a_malformed_subnet_is_refused(subnet: SubnetSpec) -> None:
    with pytest.raises(HostError) as caught:
        parse_network(replace(NETWORK, subnets=(subnet,)))
    assert caught.value.permanent


@pytest.mark.parametrize("mtu", [0, 67, 65522, -1])
def test_an_mtu_that_no_tap_takes_is_refused(mtu: int) -> None:
    with pytest.raises(HostError) as caught:
        parse_network(replace(NETWORK, mtu=mtu))
    assert caught.value.permanent


def test_a_port_is_read() -> None:
    lease = parse_port(PORT)
    assert (lease.mac, lease.hostname) == ("fa:16:3e:00:00:01", "web-1")
    assert [str(address) for address in lease.addresses] == ["10.0.0.9"]
    assert parse_port(replace(PORT, hostname="a b")).hostname == ""


@pytest.mark.parametrize(
    "port",
    [
        replace(PORT, mac="fa:16:3e:00:00"),
        replace(PORT, mac="fa:16:3e:00:00:01,10.0.0.1"),
        replace(PORT, addresses=(("subnet-1", "10.0.0.256"),)),
        replace(PORT, addresses=(("subnet-1", "::1"),)),
        replace(PORT, port_id="../x"),
    ],
)
def test_a_malformed_port_is_refused(port: PortSpec) -> None:
    with pytest.raises(HostError) as caught:
        parse_port(port)
    assert caught.value.permanent


@pytest.mark.parametrize("pair", [("subnet-1", "10.1.0.9"), ("subnet-9", "10.0.0.9")])
def test_an_address_is_in_its_subnet(pair: tuple[str, str]) -> None:
    segment = parse_network(NETWORK)
    check_addresses(PORT, segment)
    with pytest.raises(HostError) as caught:
        check_addresses(replace(PORT, addresses=(pair,)), segment)
    assert caught.value.permanent
