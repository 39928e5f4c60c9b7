"""Networks and their subnets, and the rules of their addresses (Neutron's)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hanok.model.errors import Conflict, Invalid

LARGEST, SMALLEST = 8, 30
"""Prefix lengths of subnets: a /30 has two addresses, one of them the gateway's."""
_MOST_POOLS = 64


@dataclass(frozen=True, slots=True)
class Network:
    """A network; `mtu` in bytes, `cidr` only of what was made as a VPC."""

    id: str
    project_id: str
    name: str
    description: str
    status: str
    admin_state_up: bool
    shared: bool
    external: bool
    mtu: int
    cidr: str | None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet; `allocation_pools` are {start, end} pairs of addresses."""

    id: str
    network_id: str
    project_id: str
    name: str
    description: str
    cidr: str
    gateway_ip: str | None
    enable_dhcp: bool
    dns_nameservers: list[str]
    allocation_pools: list[dict[str, str]]
    created_at: int
    updated_at: int


class InvalidInput(Invalid):
    """What is asked for makes no sense on this network."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid input for operation: {reason}")


class PoolInvalid(Invalid):
    """An allocation pool is no range of addresses."""


class PoolOutside(Invalid):
    """An allocation pool leaves its subnet."""


class PoolsOverlap(Conflict):
    """Two allocation pools share addresses."""


class GatewayInPool(Conflict):
    """The gateway's address lies in an allocation pool."""


def ipv4_address(name: str, text: str) -> ipaddress.IPv4Address:
    """Read an IPv4 address of the field `name`; raises Invalid."""
    try:
        return ipaddress.IPv4Address(text)
    except ValueError as error:
        raise Invalid(
            f"Invalid input for {name}. Reason: '{text}' is not a valid IP address."
        ) from error


def ipv4_network(name: str, text: str) -> ipaddress.IPv4Network:
    """Read a subnet's or a VPC's CIDR of the field `name`; raises Invalid.

    It names the network itself (no host bits), is a /8 to /30, and one that hosts can be in.
    """
    try:
        found = ipaddress.IPv4Network(text, strict=False)
    except ValueError as error:
        raise Invalid(
            f"Invalid input for {name}. Reason: '{text}' is not a valid IP subnet."
        ) from error
    if str(found) != text:
        raise Invalid(
            f"Invalid input for {name}. Reason: '{text}' isn't a recognized IP subnet cidr, "
            f"'{found}' is recommended."
        )
    if not LARGEST <= found.prefixlen <= SMALLEST:
        raise Invalid(
            f"Invalid input for {name}. Reason: the prefix length of '{text}' is not between "
            f"{LARGEST} and {SMALLEST}."
        )
    if found.is_multicast or found.is_loopback or found.is_link_local or found.is_reserved:
        raise Invalid(f"Invalid input for {name}. Reason: '{text}' is no network of hosts.")
    if found.network_address in ipaddress.IPv4Network("0.0.0.0/8"):
        raise Invalid(f"Invalid input for {name}. Reason: '{text}' is no network of hosts.")
    return found


def check_overlap(network_id: str, cidr: ipaddress.IPv4Network, others: Iterable[Subnet]) -> None:
    """Raise InvalidInput when a new subnet shares addresses with one of its network's."""
    for other in others:
        if cidr.overlaps(ipaddress.IPv4Network(other.cidr)):
            raise InvalidInput(
                f"Requested subnet with cidr: {cidr} for network: {network_id} overlaps with "
                f"another subnet: {other.cidr}."
            )


def gateway_address(cidr: ipaddress.IPv4Network, text: str) -> str:
    """Return a gateway's address as it is stored; raises Invalid or InvalidInput."""
    address = ipv4_address("gateway_ip", text)
    if address not in cidr or address in (cidr.network_address, cidr.broadcast_address):
        raise InvalidInput(f"Gateway {address} is not valid on subnet {cidr}.")
    return str(address)


def default_pools(cidr: ipaddress.IPv4Network, gateway: str | None) -> list[dict[str, str]]:
    """Return the whole subnet without network, broadcast and gateway: one range or two."""
    first, last = int(cidr.network_address) + 1, int(cidr.broadcast_address) - 1
    if gateway is None:
        return [_pool(first, last)]
    middle = int(ipaddress.IPv4Address(gateway))
    ranges = ((first, middle - 1), (middle + 1, last))
    return [_pool(start, end) for start, end in ranges if start <= end]


def checked_pools(
    cidr: ipaddress.IPv4Network, gateway: str | None, pools: Sequence[tuple[str, str]]
) -> list[dict[str, str]]:
    """Check (start, end) pairs and return them as stored, in order.

    Raises Invalid, PoolInvalid, PoolOutside, PoolsOverlap or GatewayInPool.
    """
    if len(pools) > _MOST_POOLS:
        raise Invalid(f"Invalid input for allocation_pools: more than {_MOST_POOLS} pools.")
    ranges = sorted(
        (int(ipv4_address("allocation_pools", start)), int(ipv4_address("allocation_pools", end)))
        for start, end in pools
    )
    hosts = range(int(cidr.network_address) + 1, int(cidr.broadcast_address))
    for start, end in ranges:
        if start > end:
            raise PoolInvalid(f"The allocation pool {_text(start, end)} is not valid.")
        if start not in hosts or end not in hosts:
            raise PoolOutside(
                f"The allocation pool {_text(start, end)} spans beyond the subnet cidr {cidr}."
            )
        if gateway is not None and start <= int(ipaddress.IPv4Address(gateway)) <= end:
            raise GatewayInPool(
                f"Gateway ip {gateway} conflicts with allocation pool {_text(start, end)}."
            )
    for one, other in pairwise(ranges):
        if other[0] <= one[1]:
            raise PoolsOverlap(
                f"Found overlapping allocation pools: {_text(*one)} {_text(*other)} for subnet "
                f"{cidr}."
            )
    return [_pool(start, end) for start, end in ranges]


def pool_size(subnet: Subnet) -> int:
    """Return how many addresses a subnet's pools have."""
    return sum(
        int(ipaddress.IPv4Address(pool["end"])) - int(ipaddress.IPv4Address(pool["start"])) + 1
        for pool in subnet.allocation_pools
    )


def whole_cidr(network: Network, subnets: Sequence[Subnet]) -> str | None:
    """Return a network's CIDR as a VPC: its own, or the least that holds all of its subnets."""
    if network.cidr is not None or not subnets:
        return network.cidr
    known = [ipaddress.IPv4Network(subnet.cidr) for subnet in subnets]
    whole = known[0]
    while not all(one.subnet_of(whole) for one in known):
        whole = whole.supernet()
    return str(whole)


def _pool(start: int, end: int) -> dict[str, str]:
    return {"start": str(ipaddress.IPv4Address(start)), "end": str(ipaddress.IPv4Address(end))}


def _text(start: int, end: int) -> str:
    return f"{ipaddress.IPv4Address(start)}-{ipaddress.IPv4Address(end)}"
