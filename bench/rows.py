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
from hanok.model.volume import VolumeAttachment
from hanok.store import hosts, identity
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
    of_project: Row = {
        "project_id": project_id,
        "description": "",
        "created_at": now,
        "updated_at": now,
    }
    network = {
        **of_project,
        "id": _id(project_id, "network"),
        "name": "Default-Network",
        "status": "ACTIVE",
        "mtu": 1450,
        "cidr": "10.0.0.0/16",
    }
    subnet = {
        **of_project,
        "id": _id(project_id, "subnet"),
        "network_id": network["id"],
        "name": "Default-Subnet",
        "cidr": "10.0.0.0/16",
        "gateway_ip": "10.0.0.1",
        "dns_nameservers": [],
        "allocation_pools": [{"start": "10.0.0.2", "end": "10.0.255.254"}],
    }
    tx.run(insert(tables.networks), network)
    tx.run(insert(tables.subnets), subnet)
    group = {**of_project, "id": _id(project_id, "group"), "name": "default"}
    tx.run(insert(tables.security_groups), group)


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
    server_id = _id(project_id, "server", number)
    port_id, volume_id = _id(server_id, "port"), _id(server_id, "volume")
    of_server: Row = {
        "project_id": project_id,
        "host_id": _HOST,
        "created_at": at,
        "updated_at": at + 12 * SECOND,
    }
    yield tables.servers, {**of_server, "id": server_id, **_server(project_id, number, at)}
    network_id = _id(project_id, "network")
    port = {"id": port_id, "network_id": network_id, "server_id": server_id, **_port(port_id)}
    yield tables.ports, {**of_server, **port, "device_id": server_id}
    address = f"10.0.{(number + 10) // 250}.{(number + 10) % 250 + 2}"
    subnet_id = _id(project_id, "subnet")
    yield tables.fixed_ips, {"subnet_id": subnet_id, "address": address, "port_id": port_id}
    group_id = _id(project_id, "group")
    yield tables.port_security_groups, {"port_id": port_id, "security_group_id": group_id}
    yield tables.volumes, {**of_server, "id": volume_id, "user_id": project_id, **_VOLUME}
    attachment = VolumeAttachment(volume_id, server_id, "vda", 0, True, at)
    yield tables.volume_attachments, asdict(attachment)


def _server(project_id: str, number: int, at: int) -> Row:
    """Return what only a server's row has; columns that are left out take their defaults."""
    return {
        "user_id": project_id,
        "name": f"server-{number:04d}",
        "flavor_id": _id("flavor"),
        "image_id": _id("image"),
        "key_name": "bench",
        "availability_zone": "kr-pub-a",
        "vm_state": "active",
        "power_state": 1,
        "generation": 3,
        "vcpus": 2,
        "ram_mib": 4096,
        "root_gib": 20,
        "config_drive": "True",
        "metadata": {"role": "web", "number": str(number)},
        "image_metadata": {
            "os_distro": "debian",
            "os_type": "linux",
            "login_username": "debian",
        },
        "reservation_id": f"r-{number:08x}",
        "launched_at": at + 11 * SECOND,
    }


def _port(port_id: str) -> Row:
    digits = port_id.replace("-", "")[:10]
    return {
        "mac_address": ":".join(["fa", *(digits[n : n + 2] for n in range(0, 10, 2))]),
        "status": "ACTIVE",
        "device_owner": "compute:nova",
        "created_for_server": True,
    }


_VOLUME: Row = {
    "name": "",
    "status": "in-use",
    "size_gib": 20,
    "volume_type": "General SSD",
    "availability_zone": "kr-pub-a",
    "bootable": True,
    "image_id": _id("image"),
    "image_metadata": {},
    "metadata": {},
}
