"""The domain that a server's intent and its steps' results add up to."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

from hanok.drivers.base import (
    Disk,
    DomainDisk,
    DomainPort,
    DomainSpec,
    NetworkSpec,
    SubnetSpec,
)
from hanok.guest.config_drive import GuestConfig, GuestNic
from hanok.model.errors import NotFound
from hanok.operations.intent import DiskIntent, ServerIntent
from hanok.store import networks
from hanok.store.database import Reader


def domain_spec(
    intent: ServerIntent, results: Mapping[str, Any], secrets: Mapping[str, Any]
) -> DomainSpec:
    """Describe the domain; `results` are those of create_server's steps by key."""
    return DomainSpec(
        server_id=intent.server_id,
        name=intent.name,
        project_id=intent.project_id,
        vcpus=intent.vcpus,
        ram_mib=intent.ram_mib,
        disks=tuple(_disk(disk, results) for disk in intent.disks),
        ports=tuple(
            DomainPort(
                port_id=nic.port_id,
                mac=results[f"allocate:{nic.port_id}"]["mac"],
                tap=results[f"plug:{nic.port_id}"],
                mtu=results[f"allocate:{nic.port_id}"]["network"]["mtu"],
            )
            for nic in intent.nics
        ),
        guest=_guest(intent, results, secrets),
    )


def serial(disk_id: str) -> str:
    """Return the serial number by which a guest knows a disk: virtio shows 20 characters."""
    return disk_id[:20]


def _disk(disk: DiskIntent, results: Mapping[str, Any]) -> DomainDisk:
    made = msgspec.convert(results[f"make:{disk.disk_id}"], Disk)
    boot = 1 if disk.boot_index == 0 else None
    return DomainDisk(made, disk.device, serial=serial(disk.disk_id), boot_index=boot)


def network_spec(reader: Reader, network_id: str) -> NetworkSpec:
    """Describe a network as a host needs it; raises NotFound when it is gone."""
    network = networks.find(reader, network_id)
    if network is None:
        raise NotFound(f"Network {network_id} could not be found.")
    return NetworkSpec(
        network_id=network.id,
        mtu=network.mtu,
        subnets=tuple(
            SubnetSpec(
                subnet_id=subnet.id,
                cidr=subnet.cidr,
                gateway=subnet.gateway_ip,
                dns=tuple(subnet.dns_nameservers),
                dhcp=subnet.enable_dhcp,
            )
            for subnet in networks.subnets_of(reader, network_id)
        ),
    )


def _guest(
    intent: ServerIntent, results: Mapping[str, Any], secrets: Mapping[str, Any]
) -> GuestConfig:
    nics = []
    for nic in intent.nics:
        allocated = results[f"allocate:{nic.port_id}"]
        nics.append(
            GuestNic(
                mac=allocated["mac"],
                port_id=nic.port_id,
                network_id=nic.network_id,
                device=results[f"plug:{nic.port_id}"],
                mtu=allocated["network"]["mtu"],
            )
        )
    return GuestConfig(
        server_id=intent.server_id,
        name=intent.name,
        project_id=intent.project_id,
        hostname=intent.hostname,
        availability_zone=results["place"]["zone"],
        public_keys={intent.key_name: intent.public_key}
        if intent.key_name and intent.public_key
        else {},
        metadata=intent.metadata,
        user_data=_bytes(secrets.get("user_data")),
        admin_pass=secrets.get("admin_pass"),
        networks=tuple(nics),
        launch_index=intent.launch_index,
        random_seed=_bytes(secrets.get("random_seed")) or b"",
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
