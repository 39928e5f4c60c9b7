"""What a region has from its first start: flavors, zones, volume types, a network, groups."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hanok.model.flavor import Flavor
from hanok.model.moments import Clock
from hanok.model.network import Network, Subnet
from hanok.model.security_group import SecurityGroup, SecurityGroupRule
from hanok.model.zone import Zone
from hanok.store import flavors, networks, security_groups, zones
from hanok.store.database import Transaction
from hanok.store.insert_missing import insert_missing
from hanok.store.region_tables import deployment, volume_types
from hanok.store.region_tables import projects as projects_table
from hanok.store.region_tables import security_groups as groups_table

NETWORK = "Default-Network"
"""No space in it: OpenStack's strict schemas refuse one in the keys of a server's addresses."""
MTU = 1450
_FIRST_ADDRESS = 10
_MIB = 1024
_FLAVORS: Mapping[str, tuple[str, tuple[tuple[int, int, int], ...]]] = {
    "t2": ("tiny", ((1, 1, 0), (2, 2, 0))),
    "m2": ("standard", ((1, 2, 0), (2, 4, 0), (4, 8, 0), (8, 16, 0))),
    "c2": ("compute", ((2, 2, 0), (4, 4, 0), (8, 8, 0))),
    "r2": ("memory", ((2, 8, 0), (4, 16, 0), (8, 32, 0))),
    "x1": ("performance", ((16, 64, 0), (32, 128, 0), (32, 256, 0))),
    "u2": ("local", ((1, 1, 20), (1, 2, 20), (2, 4, 50), (4, 8, 100))),
}
"""NHN Cloud's families: flavor_type, then (vCPUs, GiB of RAM, GiB of local disk) of each.

Disk 0: the root disk is a volume. The smallest of each kind fit a laptop.
"""
_VOLUME_TYPES = ("General SSD", "General HDD")


def seed(
    tx: Transaction, *, clock: Clock, region: str, projects: Sequence[str], network_cidr: str
) -> None:
    """Fill a new region, once; the first of `projects` owns its network.

    What an operator has removed since does not come back. Flavors and volume types get the same
    ids in every installation's region of that name. `network_cidr` is at least a /29.
    """
    for project_id in dict.fromkeys(projects):
        ensure_project(tx, clock, project_id)
    if not insert_missing(tx, deployment, {"name": "seeded", "value": region}):
        return
    for name in zone_names(region):
        zones.add(tx, Zone(name, available=True))
    for flavor in _flavors(region, clock.now()):
        flavors.add(tx, flavor)
    for position, name in enumerate(_VOLUME_TYPES):
        row: dict[str, Any] = {
            "id": _id(region, f"volume-type/{name}"),
            "name": name,
            "description": None,
            "is_public": True,
            "extra_specs": {},
            "position": position,
        }
        insert_missing(tx, volume_types, row)
    _default_network(tx, clock, projects[0], network_cidr)


def zone_names(region: str) -> tuple[str, str]:
    """Return a region's two zones as NHN Cloud names them: the region's name less a final 1.

    KR1 has kr-pub-a and kr-pub-b, KR2 kr2-pub-a, JP1 jp-pub-a, LAB lab-pub-a.
    """
    prefix = region.lower()
    prefix = prefix.removesuffix("1") or prefix
    return f"{prefix}-pub-a", f"{prefix}-pub-b"


def _id(region: str, what: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"hanok/{region}/{what}"))


def _flavors(region: str, now: int) -> list[Flavor]:
    return [
        Flavor(
            id=_id(region, f"flavor/{family}.c{vcpus}m{ram}"),
            name=f"{family}.c{vcpus}m{ram}",
            vcpus=vcpus,
            ram_mib=ram * _MIB,
            disk_gib=disk,
            ephemeral_gib=0,
            swap_mib=0,
            rxtx_factor=1.0,
            is_public=True,
            disabled=False,
            extra_specs={"flavor_type": kind},
            created_at=now,
        )
        for family, (kind, sizes) in _FLAVORS.items()
        for vcpus, ram, disk in sizes
    ]


def _default_network(tx: Transaction, clock: Clock, project_id: str, cidr: str) -> None:
    now, network_id = clock.now(), clock.new_id()
    networks.add(
        tx,
        Network(
            id=network_id,
            project_id=project_id,
            name=NETWORK,
            description="",
            status="ACTIVE",
            admin_state_up=True,
            shared=False,
            external=False,
            mtu=MTU,
            cidr=cidr,
            created_at=now,
            updated_at=now,
        ),
    )
    addresses = ipaddress.IPv4Network(cidr)
    first = _FIRST_ADDRESS if addresses.num_addresses > 2 * _FIRST_ADDRESS else 2
    networks.add_subnet(
        tx,
        Subnet(
            id=clock.new_id(),
            network_id=network_id,
            project_id=project_id,
            name=f"{NETWORK}-Subnet",
            description="",
            cidr=cidr,
            gateway_ip=str(addresses[1]),
            enable_dhcp=True,
            dns_nameservers=[],
            allocation_pools=[{"start": str(addresses[first]), "end": str(addresses[-2])}],
            created_at=now,
            updated_at=now,
        ),
    )


def ensure_project(tx: Transaction, clock: Clock, project_id: str) -> None:
    """Make a project's row and its default group where it comes to this region first.

    The group lets everything out, and in only what comes from its own members (NHN Cloud). Two
    transactions that do it at once make one group.
    """
    insert_missing(tx, projects_table, {"id": project_id})
    now, group_id = clock.now(), clock.new_id()
    group = SecurityGroup(group_id, project_id, "default", "Default security group", now, now)
    if not insert_missing(tx, groups_table, asdict(group)):
        return
    for direction, remote in (("egress", None), ("ingress", group_id)):
        security_groups.add_rule(
            tx,
            SecurityGroupRule(
                id=clock.new_id(),
                security_group_id=group_id,
                project_id=project_id,
                direction=direction,
                ethertype="IPv4",
                protocol=None,
                port_range_min=None,
                port_range_max=None,
                remote_ip_prefix=None,
                remote_group_id=remote,
                description="",
                created_at=now,
            ),
        )
