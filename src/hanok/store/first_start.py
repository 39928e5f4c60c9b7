"""What a region has from its first start: flavors, zones, volume types, a network, groups."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Sequence

from sqlalchemy import insert, select

from hanok.model.flavor import Flavor
from hanok.model.moments import Clock
from hanok.model.network import Network, Subnet
from hanok.model.security_group import SecurityGroup, SecurityGroupRule
from hanok.model.zone import Zone
from hanok.store import deployment, flavors, networks, security_groups, zones
from hanok.store.database import Transaction
from hanok.store.region_tables import projects, volume_types

NETWORK = "Default-Network"
_GIB = 1024
# family: (vCPUs, GiB of RAM, GiB of local disk; 0: the root disk is a volume)
_FLAVORS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "t2": ((1, 1, 0), (2, 2, 0)),
    "m2": ((1, 2, 0), (2, 4, 0), (4, 8, 0), (8, 16, 0)),
    "c2": ((2, 2, 0), (4, 4, 0), (8, 8, 0)),
    "r2": ((2, 8, 0), (4, 16, 0), (8, 32, 0)),
    "x1": ((16, 64, 0), (32, 128, 0), (32, 256, 0)),
    "u2": ((1, 1, 20), (2, 4, 50), (4, 8, 100)),
}
_TYPES = ("General SSD", "General HDD")


def seed(
    tx: Transaction, *, clock: Clock, region: str, projects: Sequence[str], network_cidr: str
) -> None:
    """Make what is missing; the first of `projects` owns the default network."""
    for project_id in projects:
        ensure_project(tx, clock, project_id)
    if deployment.value(tx, "seeded") is not None:
        return
    now = clock.now()
    for name in zone_names(region):
        zones.add(tx, Zone(name, True))
    for flavor in _flavors(region, now):
        flavors.add(tx, flavor)
    tx.run(
        insert(volume_types),
        [
            {
                "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"hanok/{region}/volume-type/{name}")),
                "name": name,
                "description": None,
                "is_public": True,
                "extra_specs": {},
                "position": position,
            }
            for position, name in enumerate(_TYPES)
        ],
    )
    _default_network(tx, clock, projects[0], network_cidr)
    deployment.set_value(tx, "seeded", region)


def zone_names(region: str) -> tuple[str, str]:
    """Return a region's zones as NHN Cloud names them: kr-pub-a, kr2-pub-a, jp-pub-a."""
    prefix = region.lower()
    prefix = prefix[:-1] if prefix.endswith("1") and len(prefix) > 1 else prefix
    return f"{prefix}-pub-a", f"{prefix}-pub-b"


def _flavors(region: str, now: int) -> list[Flavor]:
    made = []
    for family, sizes in _FLAVORS.items():
        for vcpus, ram, disk in sizes:
            name = f"{family}.c{vcpus}m{ram}"
            made.append(
                Flavor(
                    id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"hanok/{region}/flavor/{name}")),
                    name=name,
                    vcpus=vcpus,
                    ram_mib=ram * _GIB,
                    disk_gib=disk,
                    ephemeral_gib=0,
                    swap_mib=0,
                    rxtx_factor=1.0,
                    is_public=True,
                    disabled=False,
                    extra_specs={"flavor_type": "performance" if family == "x1" else "general"},
                    created_at=now,
                )
            )
    return made


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
            mtu=1450,
            cidr=cidr,
            created_at=now,
            updated_at=now,
        ),
    )
    hosts = ipaddress.IPv4Network(cidr)
    networks.add_subnet(
        tx,
        Subnet(
            id=clock.new_id(),
            network_id=network_id,
            project_id=project_id,
            name=f"{NETWORK}-Subnet",
            description="",
            cidr=cidr,
            gateway_ip=str(hosts[1]),
            enable_dhcp=True,
            dns_nameservers=[],
            allocation_pools=[{"start": str(hosts[10]), "end": str(hosts[-2])}],
            created_at=now,
            updated_at=now,
        ),
    )


def ensure_project(tx: Transaction, clock: Clock, project_id: str) -> None:
    """Make a project's row and its default group when it first comes to this region.

    The default group lets everything out, and in only what comes from its own members.
    """
    if tx.scalar(select(projects.c.id).where(projects.c.id == project_id)) is not None:
        return
    tx.run(insert(projects).values(id=project_id))
    now, group_id = clock.now(), clock.new_id()
    security_groups.add(
        tx, SecurityGroup(group_id, project_id, "default", "Default security group", now, now)
    )
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
