"""Simulated networks and taps: records that must fit together."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

from hanok.drivers.base import NetworkSpec, PortSpec
from hanok.drivers.simulated.faults import Faults, Misbehaving, with_faults
from hanok.drivers.simulated.records import NetworkRecord, PortRecord, WorldFiles
from hanok.model.errors import HostError

_TAP_ID = 11  # characters of a port's id in its tap's name: Linux allows 15 in all


class SimulatedNetwork(Misbehaving):
    """The network driver of one deployment in a simulated world."""

    part = "network"

    def __init__(self, deployment_id: str, files: WorldFiles, faults: Faults) -> None:
        super().__init__(faults)
        self._deployment_id = deployment_id
        self._files = files

    @with_faults
    def plug(self, port: PortSpec, network: NetworkSpec) -> str:
        """Write the network and the port down as told and return the tap's name."""
        if network.network_id != port.network_id:
            raise _permanent("The port is not of this network.", f"port {port.port_id}")
        with self._files.locked():
            self._check_addresses(port, network)
            there = self._files.ports.get(port.port_id)
            if there is not None and there.deployment_id != self._deployment_id:
                raise _permanent("The port's id is taken on this host.", port.port_id)
            if there is not None and there.port.network_id != port.network_id:
                raise _permanent("The port is plugged into another network.", port.port_id)
            self._check_network(network)
            tap = f"tap-{port.port_id.replace('-', '')[:_TAP_ID]}"
            # The port first: it is what is unplugged when the process dies in between.
            self._files.ports.put(port.port_id, PortRecord(self._deployment_id, port, tap))
            self._put_network(network)
            return tap

    @with_faults
    def unplug(self, port_id: str) -> None:
        """Remove the port's record, and before it the network's if it is the last port.

        Of a port whose record is gone the network is not known: then all without ports are swept.
        """
        with self._files.locked():
            there = self._own(port_id)
            if there is not None:
                self._sweep_networks([there.port.network_id], leaving=port_id)
                self._files.ports.drop(port_id)
            elif self._files.ports.get(port_id) is None:
                self._sweep_networks(self._files.networks.ids())

    @with_faults
    def update_network(self, network: NetworkSpec) -> None:
        """Write a network that is there down as told."""
        with self._files.locked():
            if self._own_network(network.network_id) is not None:
                self._check_network(network)
                self._put_network(network)

    @with_faults
    def apply(self, port: PortSpec) -> None:
        """Write a plugged port down as told; one that is not plugged is a permanent error."""
        with self._files.locked():
            there, network = self._own(port.port_id), self._own_network(port.network_id)
            if there is None or network is None:
                raise _permanent("The port is not plugged in.", port.port_id)
            self._check_addresses(port, network.network)
            self._files.ports.put(port.port_id, replace(there, port=port))

    @with_faults
    def list_networks(self) -> list[str]:
        """List the ids of this deployment's networks."""
        return [
            network_id
            for network_id, record in self._files.networks.all()
            if record.deployment_id == self._deployment_id
        ]

    @with_faults
    def list_ports(self) -> list[str]:
        """List the ids of this deployment's ports."""
        return [
            port_id
            for port_id, record in self._files.ports.all()
            if record.deployment_id == self._deployment_id
        ]

    def _own(self, port_id: str) -> PortRecord | None:
        record = self._files.ports.get(port_id)
        return record if record and record.deployment_id == self._deployment_id else None

    def _own_network(self, network_id: str) -> NetworkRecord | None:
        record = self._files.networks.get(network_id)
        return record if record and record.deployment_id == self._deployment_id else None

    def _check_network(self, network: NetworkSpec) -> None:
        for subnet in network.subnets:
            inside = subnet.gateway is None or _is_inside(subnet.gateway, subnet.cidr)
            if not inside:
                raise _permanent("The gateway is not in its subnet.", f"subnet {subnet.subnet_id}")
        there = self._files.networks.get(network.network_id)
        if there is not None and there.deployment_id != self._deployment_id:
            raise _permanent("The network's id is taken on this host.", network.network_id)

    def _put_network(self, network: NetworkSpec) -> None:
        record = NetworkRecord(self._deployment_id, network)
        if record != self._files.networks.get(network.network_id):
            self._files.networks.put(network.network_id, record)

    def _sweep_networks(self, network_ids: list[str], leaving: str | None = None) -> None:
        """Remove those of the networks that have no port, not counting one that leaves."""
        for network_id in network_ids:
            ports = (
                record.port.network_id
                for port_id, record in self._files.ports.all()
                if port_id != leaving
            )
            if self._own_network(network_id) is not None and network_id not in ports:
                self._files.networks.drop(network_id)

    def _check_addresses(self, port: PortSpec, network: NetworkSpec) -> None:
        cidrs = {subnet.subnet_id: subnet.cidr for subnet in network.subnets}
        for subnet_id, address in port.addresses:
            if not _is_inside(address, cidrs.get(subnet_id)):
                raise _permanent(
                    "The port's address is not in its subnet.",
                    f"port {port.port_id}: {address} in subnet {subnet_id}",
                )


def _is_inside(address: str, cidr: str | None) -> bool:
    try:
        return cidr is not None and ip_address(address) in ip_network(cidr)
    except ValueError:
        return False


def _permanent(message: str, detail: str) -> HostError:
    return HostError(message, detail=detail, permanent=True)
