"""Ports: an interface's MAC and addresses on a network, and what may be asked for."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hanok.model.errors import Conflict, Invalid
from hanok.model.network import InvalidInput, Subnet

MOST_ADDRESSES = 5
"""Addresses of one port at most (Neutron's `max_fixed_ips_per_port`)."""
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


@dataclass(frozen=True, slots=True)
class FixedIp:
    """An address of a port."""

    subnet_id: str
    address: str


@dataclass(frozen=True, slots=True)
class Port:
    """A port with its addresses and security groups."""

    id: str
    network_id: str
    project_id: str
    name: str
    description: str
    mac_address: str
    admin_state_up: bool
    status: str
    device_id: str
    device_owner: str
    server_id: str | None
    position: int
    created_for_server: bool
    host_id: str | None
    created_at: int
    updated_at: int
    fixed_ips: tuple[FixedIp, ...] = ()
    group_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """An address as a request names it: by subnet, by address, by both."""

    subnet_id: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """An address to be taken: this one, or (None) a free one, of the first subnet that has it."""

    network_id: str
    subnets: tuple[Subnet, ...]
    address: str | None = None


class AddressTaken(Conflict):
    """The address has a port already."""

    def __init__(self, address: str) -> None:
        super().__init__(f"Fixed IP address {address} is already in use.")


class NoAddressLeft(Conflict):
    """The pools of the subnets are full."""

    def __init__(self, network_id: str) -> None:
        super().__init__(f"No more IP addresses available on network {network_id}.")


class MacTaken(Conflict):
    """Another port of the network has the MAC."""

    def __init__(self, network_id: str, mac: str) -> None:
        super().__init__(
            f"Unable to complete operation for network {network_id}. "
            f"The mac address {mac} is in use."
        )


class AddressOutside(Invalid):
    """The address is none that a port of the subnet may have."""


class AddressNowhere(Invalid):
    """The address lies in no subnet of the network."""


def mac_address(text: str) -> str:
    """Return a MAC as it is stored; raises Invalid, for a group address, too (no guest has one)."""
    mac = text.lower().replace("-", ":")
    if not _MAC.fullmatch(mac) or mac == "00:00:00:00:00:00" or int(mac[:2], 16) & 1:
        raise Invalid(
            f"Invalid input for mac_address. Reason: '{text}' is not a valid MAC address."
        )
    return mac


def wishes(
    network_id: str, subnets: Sequence[Subnet], asked: Sequence[Asked] | None
) -> tuple[Wish, ...]:
    """Resolve what a request asks for; None is one address of any subnet that there is.

    Raises InvalidInput, AddressOutside, AddressNowhere or Invalid, in Neutron's words.
    """
    if asked is None:
        return (Wish(network_id, tuple(subnets)),) if subnets else ()
    if len(asked) > MOST_ADDRESSES:
        raise InvalidInput("Exceeded maximum amount of fixed ips per port.")
    found = tuple(_wish(network_id, subnets, one) for one in asked)
    named = [(wish.subnets[0].id, wish.address) for wish in found if wish.address is not None]
    if len(set(named)) < len(named):
        raise InvalidInput("Duplicate IP addresses in fixed_ips.")
    return found


def _wish(network_id: str, subnets: Sequence[Subnet], asked: Asked) -> Wish:
    if asked.subnet_id is not None:
        subnets = [subnet for subnet in subnets if subnet.id == asked.subnet_id]
        if not subnets:
            raise InvalidInput(
                f"Failed to create port on network {network_id}, because fixed_ips included "
                f"invalid subnet {asked.subnet_id}"
            )
    if asked.address is None:
        if not subnets or asked.subnet_id is None:
            raise InvalidInput("IP allocation requires subnet_id or ip_address.")
        return Wish(network_id, tuple(subnets))
    try:
        address = ipaddress.IPv4Address(asked.address)
    except ValueError as error:
        raise Invalid(
            f"Invalid input for fixed_ips. Reason: '{asked.address}' is not a valid IP address."
        ) from error
    home = next((one for one in subnets if address in ipaddress.IPv4Network(one.cidr)), None)
    if home is None and asked.subnet_id is None:
        raise AddressNowhere(
            f"IP address {address} is not a valid IP for any of the subnets on the specified "
            "network."
        )
    if home is None or not usable(home, address):
        raise AddressOutside(f"IP address {address} is not a valid IP for the specified subnet.")
    return Wish(network_id, (home,), str(address))


def usable(subnet: Subnet, address: ipaddress.IPv4Address) -> bool:
    """Tell whether a port may have an address: not the network's, broadcast's or gateway's."""
    network = ipaddress.IPv4Network(subnet.cidr)
    reserved = (network.network_address, network.broadcast_address)
    return address in network and address not in reserved and str(address) != subnet.gateway_ip
