"""The networks of Create Instance: by network, subnet, port or fixed IP, one interface each."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from hanok.model.errors import Conflict, Invalid
from hanok.model.network import Network, Subnet
from hanok.model.server_create import Nic
from hanok.store import networks, ports
from hanok.store.database import Reader


@dataclass(frozen=True, slots=True)
class Interface:
    """A resolved interface: an existing port, or where and with which address to make one."""

    network_id: str
    subnet_id: str | None = None
    address: str | None = None
    port_id: str | None = None
    existing: bool = False


def interfaces(
    reader: Reader, project_id: str, wanted: Sequence[Nic] | None
) -> tuple[Interface, ...]:
    """Resolve what a request names; raises Invalid or Conflict in Nova's words."""
    if wanted is None:
        return _default(reader, project_id)
    found = tuple(_interface(reader, project_id, nic) for nic in wanted)
    named = [one.port_id for one in found if one.existing]
    if len(set(named)) < len(named):
        raise Invalid("A port is named twice in networks.")
    addresses = [(one.subnet_id, one.address) for one in found if one.address]
    if len(set(addresses)) < len(addresses):
        raise Invalid("A fixed IP is named twice in networks.")
    return found


def _default(reader: Reader, project_id: str) -> tuple[Interface, ...]:
    """Take the project's only network; none is none, several are ambiguous (Nova)."""
    known = [n for n in networks.visible(reader, project_id) if not n.external]
    if len(known) > 1:
        raise Conflict("Multiple possible networks found, use a Network ID to be more specific.")
    return tuple(_on_network(reader, network, None) for network in known)


def _interface(reader: Reader, project_id: str, nic: Nic) -> Interface:
    """Resolve one; a port wins over a network named beside it (Terraform sends both)."""
    if nic.port_id is not None:
        return _port(reader, project_id, nic.port_id)
    if nic.subnet_id is not None:
        subnet = networks.subnet(reader, project_id, nic.subnet_id)
        if subnet is None:
            raise Invalid(f"Subnet {nic.subnet_id} could not be found.")
        if nic.network_id not in (None, subnet.network_id):
            raise Invalid(f"Subnet {subnet.id} does not belong to network {nic.network_id}.")
        _check_address(reader, subnet, nic.address)
        return Interface(subnet.network_id, subnet.id, nic.address)
    if nic.network_id is not None:
        network = networks.network(reader, project_id, nic.network_id)
        if network is None:
            raise Invalid(f"Network {nic.network_id} could not be found.")
        return _on_network(reader, network, nic.address)
    return _by_address(reader, project_id, nic.address or "")


def _port(reader: Reader, project_id: str, port_id: str) -> Interface:
    port = ports.get(reader, port_id)
    if port is None or port.project_id != project_id:
        raise Invalid(f"Port id {port_id} could not be found.")
    if port.server_id is not None or port.device_id:
        raise Conflict(f"Port {port_id} is still in use.")
    return Interface(port.network_id, port_id=port.id, existing=True)


def _on_network(reader: Reader, network: Network, address: str | None) -> Interface:
    subnets = networks.subnets_of(reader, network.id)
    if not subnets:
        raise Invalid(f"Network {network.id} requires a subnet in order to boot instances on.")
    if address is None:
        return Interface(network.id)
    for subnet in subnets:
        if _contains(subnet, address):
            _check_address(reader, subnet, address)
            return Interface(network.id, subnet.id, address)
    raise Invalid(f"Fixed IP {address} is not a valid ip address for network {network.id}.")


def _by_address(reader: Reader, project_id: str, address: str) -> Interface:
    """Find the one subnet of the project that an address lies in."""
    homes = [
        subnet
        for network in networks.visible(reader, project_id)
        for subnet in networks.subnets_of(reader, network.id)
        if _contains(subnet, address)
    ]
    if not homes:
        raise Invalid(f"Fixed IP {address} does not lie in any subnet of the project.")
    if len(homes) > 1:
        raise Invalid(f"Fixed IP {address} lies in several subnets; name the subnet, too.")
    _check_address(reader, homes[0], address)
    return Interface(homes[0].network_id, homes[0].id, address)


def _contains(subnet: Subnet, address: str) -> bool:
    try:
        return ipaddress.IPv4Address(address) in ipaddress.IPv4Network(subnet.cidr)
    except ValueError as error:
        raise Invalid(
            f"Invalid input for field/attribute fixed_ip. Value: {address}. It is not "
            "an IPv4 address."
        ) from error


def _check_address(reader: Reader, subnet: Subnet, address: str | None) -> None:
    if address is None:
        return
    network = ipaddress.IPv4Network(subnet.cidr)
    unusable = (str(network.network_address), str(network.broadcast_address), subnet.gateway_ip)
    if not _contains(subnet, address) or address in unusable:
        raise Invalid(f"Fixed IP {address} cannot be used in subnet {subnet.id}.")
    if ports.address_taken(reader, subnet.id, address):
        raise Invalid(f"Fixed IP address {address} is already in use on instance or port.")
