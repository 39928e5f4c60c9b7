"""What a network's subnets mean for its gateway and its DHCP service; pure, checks everything.

Whatever reaches `ip` or dnsmasq goes through here, so that nothing malformed does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from hanok.drivers.base import NetworkSpec, PortSpec, SubnetSpec
from hanok.drivers.libvirt.names import safe_id
from hanok.model.errors import HostError

SPARE_ADDRESS: Final = IPv4Address("169.254.169.252")
"""The DHCP service's address where a subnet has no gateway that could be it.

Link-local (RFC 3927), so no guest is given it; beside the metadata service's 169.254.169.254.
A client without a route to it renews by broadcast.
"""

_MAC: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_LABEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet with its parts parsed; see `SubnetSpec`."""

    subnet_id: str
    cidr: IPv4Network
    gateway: IPv4Address | None
    dns: tuple[IPv4Address, ...]
    dhcp: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A network with its parts parsed; `mtu` in bytes."""

    network_id: str
    mtu: int
    subnets: tuple[Subnet, ...]

    def own_addresses(self) -> frozenset[str]:
        """Return the addresses that the network's namespace has, as `ip` writes them."""
        gateways = {f"{s.gateway}/{s.cidr.prefixlen}" for s in self.subnets if s.gateway}
        # With the subnet as its peer, it also has a route to the guests that renew.
        spares = {
            f"{SPARE_ADDRESS} peer {s.cidr}" for s in self.subnets if s.dhcp and not s.gateway
        }
        return frozenset(gateways | spares)


@dataclass(frozen=True, slots=True)
class Lease:
    """A port as the DHCP service knows it; `hostname` is empty if it is no DNS label."""

    port_id: str
    mac: str
    addresses: tuple[IPv4Address, ...]
    hostname: str


def parse_network(spec: NetworkSpec) -> Segment:
    """Check a network; raises a permanent `HostError` where a part is malformed."""
    if not 68 <= spec.mtu <= 65521:  # what a tap takes
        raise _wrong("The network's MTU is out of range.", f"{spec.network_id}: {spec.mtu}")
    subnets = sorted(spec.subnets, key=lambda subnet: subnet.subnet_id)
    return Segment(safe_id(spec.network_id), spec.mtu, tuple(map(_parse_subnet, subnets)))


def parse_port(spec: PortSpec) -> Lease:
    """Check a port; raises a permanent `HostError` where a part is malformed."""
    mac = spec.mac.lower()
    if not _MAC.fullmatch(mac):
        raise _wrong("The port's MAC address is malformed.", f"{spec.port_id}: {spec.mac!r}")
    addresses = []
    for _, text in spec.addresses:
        try:
            addresses.append(IPv4Address(text))
        except ValueError as error:
            raise _wrong("The port's address is malformed.", f"{spec.port_id}: {error}") from error
    hostname = spec.hostname if _LABEL.fullmatch(spec.hostname) else ""
    return Lease(safe_id(spec.port_id), mac, tuple(addresses), hostname)


def check_addresses(port: PortSpec, segment: Segment) -> None:
    """Raise a permanent `HostError` where an address of the port is not in its subnet."""
    cidrs = {subnet.subnet_id: subnet.cidr for subnet in segment.subnets}
    for subnet_id, address in port.addresses:
        if subnet_id not in cidrs or IPv4Address(address) not in cidrs[subnet_id]:
            detail = f"port {port.port_id}: {address} in subnet {subnet_id}"
            raise _wrong("The port's address is not in its subnet.", detail)


def _parse_subnet(spec: SubnetSpec) -> Subnet:
    try:
        cidr = IPv4Network(spec.cidr)
        gateway = None if spec.gateway is None else IPv4Address(spec.gateway)
        dns = tuple(IPv4Address(server) for server in spec.dns)
    except ValueError as error:
        raise _wrong("A subnet is malformed.", f"{spec.subnet_id}: {error}") from error
    if gateway is not None and gateway not in cidr:
        detail = f"subnet {spec.subnet_id}: {gateway} in {cidr}"
        raise _wrong("The gateway is not in its subnet.", detail)
    return Subnet(spec.subnet_id, cidr, gateway, dns, spec.dhcp)


def _wrong(message: str, detail: str) -> HostError:
    return HostError(message, detail=detail, permanent=True)
