from __future__ import annotations

import ipaddress
from dataclasses import FrozenInstanceError

import pytest

from hanok.model import network as rules
from hanok.model.errors import Conflict, Invalid
from tests.store.network_rows import a_network, a_subnet

CIDR = ipaddress.IPv4Network("10.0.0.0/24")


def test_rows_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        a_network(1).name = "x"  # type: ignore[misc]


@pytest.mark.parametrize("text", ["10.0.0.0/8", "192.168.4.0/22", "172.16.0.0/30", "8.8.8.0/24"])
def test_a_network_of_hosts_is_read(text: str) -> None:
    assert str(rules.ipv4_network("cidr", text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "10.0.0.0", "10.0.0.1/24", "10.0.0.0/255.255.255.0", "10.0.0.0/7"),
        *("10.0.0.0/31", "10.0.0.0/32", "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16"),
        *("224.0.0.0/24", "240.0.0.0/24", "::/64", "10.0.0.0/24 ", "010.0.0.0/24"),
    ],
)
def test_any_other_is_refused_by_its_fields_name(text: str) -> None:
    with pytest.raises(Invalid, match="cidrv4"):
        rules.ipv4_network("cidrv4", text)


def test_an_overlap_names_the_other_subnet() -> None:
    other = a_subnet(2, "n", cidr="10.0.0.128/25")
    with pytest.raises(rules.InvalidInput, match=r"10\.0\.0\.128/25"):
        rules.check_overlap("n", CIDR, [other])
    rules.check_overlap("n", CIDR, [a_subnet(2, "n", cidr="10.0.1.0/24")])


@pytest.mark.parametrize("text", ["10.0.0.0", "10.0.0.255", "10.0.1.1"])
def test_a_gateway_is_a_host_of_its_subnet(text: str) -> None:
    assert rules.gateway_address(CIDR, "10.0.0.254") == "10.0.0.254"
    with pytest.raises(rules.InvalidInput, match=text):
        rules.gateway_address(CIDR, text)


@pytest.mark.parametrize(
    ("gateway", "ranges"),
    [
        (None, [("10.0.0.1", "10.0.0.254")]),
        ("10.0.0.1", [("10.0.0.2", "10.0.0.254")]),
        ("10.0.0.254", [("10.0.0.1", "10.0.0.253")]),
        ("10.0.0.7", [("10.0.0.1", "10.0.0.6"), ("10.0.0.8", "10.0.0.254")]),
    ],
)
def test_a_pool_is_all_but_the_gateway(gateway: str | None, ranges: list[tuple[str, str]]) -> None:
    expected = [{"start": start, "end": end} for start, end in ranges]
    assert rules.default_pools(CIDR, gateway) == expected
    assert rules.checked_pools(CIDR, gateway, ranges[::-1]) == expected


@pytest.mark.parametrize(
    ("ranges", "error"),
    [
        ([("10.0.0.9", "10.0.0.8")], rules.PoolInvalid),
        ([("10.0.0.0", "10.0.0.8")], rules.PoolOutside),
        ([("10.0.0.9", "10.0.0.255")], rules.PoolOutside),
        ([("10.0.0.1", "10.0.0.8")], rules.GatewayInPool),
        ([("10.0.0.2", "10.0.0.8"), ("10.0.0.8", "10.0.0.9")], rules.PoolsOverlap),
        ([("x", "10.0.0.8")], Invalid),
        ([("10.0.0.2", "10.0.0.2")] * 65, Invalid),
    ],
)
def test_odd_pools_are_refused(ranges: list[tuple[str, str]], error: type[Exception]) -> None:
    with pytest.raises(error):
        rules.checked_pools(CIDR, "10.0.0.1", ranges)


def test_overlaps_and_gateways_in_pools_are_conflicts() -> None:
    assert issubclass(rules.PoolsOverlap, Conflict)
    assert issubclass(rules.GatewayInPool, Conflict)


def test_the_size_of_a_subnet_is_its_pools() -> None:
    pools = [{"start": "10.0.0.2", "end": "10.0.0.2"}, {"start": "10.0.0.9", "end": "10.0.0.12"}]
    assert rules.pool_size(a_subnet(2, "n", allocation_pools=pools)) == 5


def test_the_whole_of_a_network_holds_its_subnets() -> None:
    known = [a_subnet(2, "n", cidr="10.0.1.0/24"), a_subnet(3, "n", cidr="10.0.2.0/24")]
    assert rules.whole_cidr(a_network(1), []) is None
    assert rules.whole_cidr(a_network(1), known[:1]) == "10.0.1.0/24"
    assert rules.whole_cidr(a_network(1), known) == "10.0.0.0/22"
    assert rules.whole_cidr(a_network(1, cidr="10.0.0.0/8"), known) == "10.0.0.0/8"
