"""A full region: servers of many projects, put into the stores of a region that is not running."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert

from hanok.engine.clock import SystemClock
from hanok.model.host import Host
from hanok.model.moments import SECOND
from hanok.model.network import Network, Subnet
from hanok.model.port import Port
from hanok.model.security_group import SecurityGroup
from hanok.model.server import Server
from hanok.model.volume import Volume, VolumeAttachment
from hanok.store import hosts, identity, security_groups
from hanok.store import region_tables as tables
from hanok.store.database import Database, Transaction

_BATCH = 2000
_HOUR = 3600 * SECOND
_HOST = str(uuid.uuid5(uuid.NAMESPACE_URL, "bench/host"))
"""A host that no process serves: nothing looks at its domains, and its servers stay ACTIVE."""
Row = Mapping[str, Any]
Rows = dict[Table, list[Row]]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A project of the region, a token for it, and the ids of its servers, the oldest first."""

    project_id: str
    token: str
    server_ids: tuple[str, ...]


def fill(state: Path, projects: int, servers: int, tenants: int) -> list[Tenant]:
    """Put `servers` servers of each of `projects` projects into the state directory's KR1.

    Each server has a port with an address and a group, and a root volume. Their rows are made in
    turn, project by project, so that a project's servers lie far apart, as in a region that grew.
    Returns the first `tenants` projects, whose tokens the first user may use.
    """
    identities = Database(f"sqlite:///{state / 'identity.db'}", schema="hanok_identity")
    region = Database(f"sqlite:///{state / 'regions' / 'kr1' / 'region.db'}", schema="hanok_kr1")
    try:
        now = SystemClock().now()
        member = json.loads((state / "credentials.json").read_text())["member"]["username"]
        with identities.write() as tx:
            made = [_tenant(tx, member, n, servers, now) for n in range(tenants)]
        ids = [_project(number) for number in range(projects)]
        with region.write() as tx:
            hosts.register(tx, _host(now))
            for project_id in ids:
                _surroundings(tx, project_id, now)
        for batch in _batches(ids, servers, now):
            with region.write() as tx:
                for table, rows in batch.items():
                    tx.run(insert(table), rows)
    finally:
        identities.close()
        region.close()
    return made


def _id(*parts: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, ("bench", *parts)))))


def _project(number: int) -> str:
    return _id("project", number).replace("-", "")


def _tenant(tx: Transaction, member: str, number: int, servers: int, now: int) -> Tenant:
    project_id, token = _project(number), _id("token", number).replace("-", "")
    login = identity.login(tx, name=member)
    assert login is not None
    new = identity.Project(project_id, f"bench-{number}", "", enabled=True)
    identity.add_project(tx, new, now)
    identity.assign(tx, login.user.id, project_id, "member")
    hashed = hashlib.sha256(token.encode()).digest()
    expires = now + 12 * _HOUR
    identity.add_token(
        tx, identity.NewToken(hashed, login.user.id, project_id, "password", now, expires)
    )
    return Tenant(project_id, token, tuple(_id(project_id, "server", n) for n in range(servers)))


def _host(now: int) -> Host:
    return Host(
        id=_HOST,
        name="bench",
        driver="simulated",
        accel="simulated",
        state="up",
        vcpus=0,
        ram_mib=0,
        disk_gib=0,
        used_vcpus=0,
        used_ram_mib=0,
        used_disk_gib=0,
        seen_at=now,
        zones=(),
    )


def _surroundings(tx: Transaction, project_id: str, now: int) -> None:
    """Give a project a network of 65,534 addresses and a group."""
    network = Network(
        id=_id(project_id, "network"),
        project_id=project_id,
        name="Default-Network",
        description="",
        status="ACTIVE",
        admin_state_up=True,
        shared=False,
        external=False,
        mtu=1450,
        cidr="10.0.0.0/16",
        created_at=now,
        updated_at=now,
    )
    subnet = Subnet(
        id=_id(project_id, "subnet"),
        network_id=network.id,
        project_id=project_id,
        name="Default-Subnet",
        description="",
        cidr="10.0.0.0/16",
        gateway_ip="10.0.0.1",
        enable_dhcp=True,
        dns_nameservers=[],
        allocation_pools=[{"start": "10.0.0.2", "end": "10.0.255.254"}],
        created_at=now,
        updated_at=now,
    )
    tx.run(insert(tables.networks), asdict(network))
    tx.run(insert(tables.subnets), asdict(subnet))
    group = SecurityGroup(_id(project_id, "group"), project_id, "default", "", now, now)
    security_groups.add(tx, group)


def _batches(projects: list[str], servers: int, now: int) -> Iterator[Rows]:
    """Yield rows by table, some thousand servers at a time, parents before children."""
    batch: Rows = {}
    filled = 0
    for number in range(servers):
        for at, project_id in enumerate(projects):
            # Moments an odd time apart: no two servers share one, as no two do in life.
            made_at = now - _HOUR + number * 1_000_003 + at * 7_919
            for table, row in _server_rows(project_id, number, made_at):
                batch.setdefault(table, []).append(row)
            filled += 1
            if filled == _BATCH:
                yield batch
                batch, filled = {}, 0
    if filled:
        yield batch


def _server_rows(project_id: str, number: int, at: int) -> Iterator[tuple[Table, Row]]:
    server = _server(project_id, number, at)
    port_id, volume_id = _id(server.id, "port"), _id(server.id, "volume")
    yield tables.servers, {f: getattr(server, f) for f in Server.__slots__}
    port = _port(server, port_id, at)
    yield (
        tables.ports,
        {f: getattr(port, f) for f in Port.__slots__ if f not in ("fixed_ips", "group_ids")},
    )
    address = f"10.0.{(number + 10) // 250}.{(number + 10) % 250 + 2}"
    subnet_id = _id(project_id, "subnet")
    yield tables.fixed_ips, {"subnet_id": subnet_id, "address": address, "port_id": port_id}
    group_id = _id(project_id, "group")
    yield tables.port_security_groups, {"port_id": port_id, "security_group_id": group_id}
    yield tables.volumes, asdict(_volume(server, volume_id, at))
    attachment = VolumeAttachment(volume_id, server.id, "vda", 0, True, at)
    yield tables.volume_attachments, asdict(attachment)


def _server(project_id: str, number: int, at: int) -> Server:
    return Server(
        id=_id(project_id, "server", number),
        project_id=project_id,
        user_id=project_id,
        name=f"server-{number:04d}",
        flavor_id=_id("flavor"),
        image_id=_id("image"),
        key_name="bench",
        host_id=_HOST,
        availability_zone="kr-pub-a",
        vm_state="active",
        task_state=None,
        power_state=1,
        generation=3,
        vcpus=2,
        ram_mib=4096,
        root_gib=20,
        ephemeral_gib=0,
        config_drive="True",
        metadata={"role": "web", "number": str(number)},
        image_metadata={"os_distro": "debian", "os_type": "linux", "login_username": "debian"},
        reservation_id=f"r-{number:08x}",
        fault=None,
        resized=None,
        created_at=at,
        updated_at=at + 12 * SECOND,
        launched_at=at + 11 * SECOND,
        terminated_at=None,
    )


def _port(server: Server, port_id: str, at: int) -> Port:
    digits = port_id.replace("-", "")[:10]
    mac = ":".join(["fa", *(digits[n : n + 2] for n in range(0, 10, 2))])
    return Port(
        id=port_id,
        network_id=_id(server.project_id, "network"),
        project_id=server.project_id,
        name="",
        description="",
        mac_address=mac,
        admin_state_up=True,
        status="ACTIVE",
        device_id=server.id,
        device_owner="compute:nova",
        server_id=server.id,
        position=0,
        created_for_server=True,
        host_id=_HOST,
        created_at=at,
        updated_at=at,
        fixed_ips=(),
        group_ids=(),
    )


def _volume(server: Server, volume_id: str, at: int) -> Volume:
    return Volume(
        id=volume_id,
        project_id=server.project_id,
        user_id=server.user_id,
        name="",
        description=None,
        status="in-use",
        size_gib=20,
        volume_type="General SSD",
        availability_zone=server.availability_zone,
        host_id=_HOST,
        bootable=True,
        image_id=server.image_id,
        image_metadata={},
        metadata={},
        created_at=at,
        updated_at=at,
    )
