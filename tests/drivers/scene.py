"""Disks, ports and domains that a test makes on a host, and removes at its end."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from hanok.drivers.base import (
    Disk,
    DiskSpec,
    DomainDisk,
    DomainPort,
    DomainSpec,
    Drivers,
    NetworkSpec,
    PortSpec,
    SubnetSpec,
)
from hanok.guest.config_drive import GuestConfig

_NUMBERS = itertools.count(1)


def new_id() -> str:
    return str(uuid.uuid4())


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Look until the condition holds; False when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def network_of(subnets: int = 1) -> NetworkSpec:
    """A network with so many subnets, 10.77.0.0/24 and on."""
    return NetworkSpec(
        new_id(),
        1450,
        tuple(
            SubnetSpec(new_id(), f"10.77.{n}.0/24", f"10.77.{n}.1", ("10.77.0.1",))
            for n in range(subnets)
        ),
    )


def port_on(network: NetworkSpec) -> PortSpec:
    """A new port with an address in each of the network's subnets."""
    number = next(_NUMBERS)
    return PortSpec(
        port_id=new_id(),
        network_id=network.network_id,
        mac=f"fa:16:3e:77:{number // 256:02x}:{number % 256:02x}",
        addresses=tuple(
            (subnet.subnet_id, subnet.cidr.replace(".0/24", f".{number % 200 + 10}"))
            for subnet in network.subnets
        ),
        hostname=f"guest-{number}",
    )


def domain_of(disks: tuple[Disk, ...] = (), ports: tuple[DomainPort, ...] = ()) -> DomainSpec:
    """A small domain of those disks and ports; its first disk is the one to boot from."""
    server_id, project_id = new_id(), new_id()
    return DomainSpec(
        server_id=server_id,
        name="web 1",
        project_id=project_id,
        vcpus=1,
        ram_mib=64,
        disks=tuple(
            DomainDisk(disk, f"vd{chr(ord('a') + n)}", disk.disk_id[:20], 1 if n == 0 else None)
            for n, disk in enumerate(disks)
        ),
        ports=ports,
        guest=GuestConfig(server_id, "web 1", project_id, user_data=b"#!/bin/sh\n\xff\x00"),
    )


@dataclass
class Host:
    """A host under test: how to open it, what it heard of changed domains, what it has left."""

    root: Path
    open: Callable[[Path], Drivers]
    leftovers: Callable[[Path], list[str]]
    image: tuple[str, str]
    image_gib: int
    drivers: Drivers = field(init=False)
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.drivers = self.open(self.root)
        self.drivers.compute.watch(self.heard.append)


class Scene:
    """What one test makes on one host."""

    def __init__(self, drivers: Drivers) -> None:
        self.drivers = drivers
        self._servers: list[str] = []
        self._ports: list[str] = []
        self._disks: list[str] = []

    def disk(
        self,
        size_gib: int = 1,
        image: tuple[str, str] | None = None,
        *,
        independent: bool = False,
    ) -> Disk:
        """Make a disk, blank or from an image (id, format)."""
        image_id, image_format = image or (None, None)
        spec = DiskSpec(new_id(), size_gib, image_id, image_format, independent)
        self._disks.append(spec.disk_id)
        return self.drivers.storage.create_disk(spec)

    def plug(self, network: NetworkSpec, port: PortSpec | None = None) -> tuple[PortSpec, str]:
        """Plug a port, a new one unless told, and return it with its tap."""
        port = port or port_on(network)
        self._ports.append(port.port_id)
        return port, self.drivers.network.plug(port, network)

    def define(self, spec: DomainSpec | None = None) -> DomainSpec:
        """Define a domain: unless told, one with a blank disk and a port of its own."""
        if spec is None:
            port, tap = self.plug(network_of())
            domain_port = DomainPort(port.port_id, port.mac, tap, port.mtu)
            spec = domain_of((self.disk(),), (domain_port,))
        self._servers.append(spec.server_id)
        self.drivers.compute.define(spec)
        return spec

    def clear(self) -> None:
        """Make all of it absent again."""
        for server_id in self._servers:
            self.drivers.compute.delete(server_id)
        for port_id in self._ports:
            self.drivers.network.unplug(port_id)
        for disk_id in self._disks:
            self.drivers.storage.delete_disk(disk_id)


def differing(spec: DomainSpec) -> DomainSpec:
    """The same domain with more memory."""
    return replace(spec, ram_mib=spec.ram_mib + 16)
