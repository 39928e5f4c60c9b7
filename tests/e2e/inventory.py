"""What the listed servers need, and what is really there: both must be the same, to the id.

The need comes from the API (servers, ports, volumes). What is there comes from the simulated
world's files, or from virsh, ip, nft, /proc and the file system by the deployment's id.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from hanok.drivers.libvirt.names import Names
from hanok.drivers.simulated.world import World
from scripts.demo_host import Deployment
from tests.e2e.cloud import Cloud, ids
from tests.e2e.region import Region


@dataclass(frozen=True, slots=True)
class Need:
    """What a list of servers adds up to, by id; local disks have none that the API shows."""

    servers: frozenset[str] = frozenset()
    ports: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    local_of: frozenset[str] = frozenset()


@dataclass(slots=True)
class Found:
    """What is there, by id; `disks` with the server that holds each, None for nobody."""

    domains: set[str] = field(default_factory=set)
    ports: set[str] = field(default_factory=set)
    networks: set[str] = field(default_factory=set)
    disks: dict[str, str | None] = field(default_factory=dict)
    consoles: set[str] = field(default_factory=set)


def need(cloud: Cloud) -> Need:
    """Read the API's lists, check that they fit each other, and return what they need."""
    servers, ports, volumes = cloud.servers(), cloud.ports(), cloud.volumes()
    for server in servers:
        assert server["status"] in {"ACTIVE", "SHUTOFF"}, server
    of_servers = [str(port["device_id"]) for port in ports if port["device_id"]]
    assert sorted(of_servers) == sorted(ids(servers)), "one port for each server, and no other"
    addresses = [ip["ip_address"] for port in ports for ip in port["fixed_ips"]]
    assert len(addresses) == len(set(addresses)) == len(ports), "one address for each port"
    attached = {
        str(volume["id"]): server["id"]
        for server in servers
        for volume in server["os-extended-volumes:volumes_attached"]
    }
    for volume in volumes:
        shown = [one["server_id"] for one in volume["attachments"]]
        wanted = [attached[volume["id"]]] if volume["id"] in attached else []
        assert shown == wanted, volume
        assert volume["status"] == ("in-use" if wanted else "available"), volume
    assert set(attached) <= ids(volumes)
    return Need(
        servers=frozenset(ids(servers)),
        ports=frozenset(ids(ports)),
        networks=frozenset(str(port["network_id"]) for port in ports),
        volumes=frozenset(ids(volumes)),
        local_of=frozenset(ids(servers) - set(attached.values())),
    )


def check_simulated(region: Region, wanted: Need) -> None:
    """Compare the simulated world with the need."""
    contents = World(region.folder() / "world").contents()
    found = Found(
        domains=set(contents["domains"]),
        ports=set(contents["ports"]),
        networks=set(contents["networks"]),
        disks={disk_id: record["held_by"] for disk_id, record in contents["disks"].items()},
        consoles=set(contents["consoles"]),
    )
    assert found.domains == wanted.servers
    assert found.ports == wanted.ports
    assert found.networks == wanted.networks
    assert found.consoles <= wanted.servers
    _check_disks(found.disks, wanted)
    for server_id, domain in contents["domains"].items():
        assert domain["power_state"] == 1, f"{server_id} does not run"
    unfinished = [path.name for path in (region.folder() / "world").rglob(".*")]
    assert unfinished == []


def _check_disks(disks: dict[str, str | None], wanted: Need) -> None:
    """Each volume has its disk, each server without one a disk of its own, and that is all."""
    assert wanted.volumes <= set(disks)
    local = {disk: holder for disk, holder in disks.items() if disk not in wanted.volumes}
    assert len(local) == len(wanted.local_of), local
    assert set(local.values()) == wanted.local_of


def check_real(region: Region, wanted: Need) -> None:
    """Compare the machine with the need, name by name."""
    deployment = region.deployment()
    names = Names(deployment.id)
    seen = deployment.look(besides=region.pid)
    assert set(seen.domains) == {names.domain(server) for server in wanted.servers}
    assert set(seen.taps) == {names.tap(port) for port in wanted.ports}
    assert set(seen.bridges) == {names.bridge(network) for network in wanted.networks}
    assert set(seen.veths) == {names.veth(network) for network in wanted.networks}
    assert set(seen.namespaces) == {names.namespace(network) for network in wanted.networks}
    # A table, and in it for each bridge a chain and its device.
    named = [line for line in seen.rules if names.filter_table() in line]
    assert len(named) == min(1, len(wanted.networks)), seen.rules
    programs = sorted(process.partition("[")[0] for process in seen.processes)
    guests = ["qemu-system-x86_64"] * len(wanted.servers)
    assert programs == ["dnsmasq"] * len(wanted.networks) + guests
    _check_files(region.folder() / "host", wanted)
    _check_libvirt_files(deployment, names, wanted)


def _check_files(host: Path, wanted: Need) -> None:
    """Compare the folders of the host's tree."""
    assert _names(host) == {"deployment", "disks", "domains", "networks"}
    assert _names(host / "domains") == wanted.servers
    assert _names(host / "networks") == wanted.networks
    plugged: set[str] = set()
    for network in wanted.networks:
        plugged |= _names(host / "networks" / network / "ports")
    assert plugged == wanted.ports
    disks: dict[str, str | None] = {}
    for name in _names(host / "disks"):
        disk_id, _, kind = name.partition(".")
        assert kind in {"qcow2", "holder"}, name
        holder = host / "disks" / f"{disk_id}.holder"
        disks[disk_id] = str(holder.readlink()) if holder.is_symlink() else None
        assert (host / "disks" / f"{disk_id}.qcow2").exists(), name
    _check_disks(disks, wanted)


def _check_libvirt_files(deployment: Deployment, names: Names, wanted: Need) -> None:
    """The files of libvirt's own name no other domain of the deployment."""
    # It shortens a name to 20 characters in some of its folders.
    known = {names.domain(server)[:20] for server in wanted.servers}
    for path in deployment.look().files:
        if not path.startswith("/"):
            continue  # below the state directory, looked at above
        assert any(name in path for name in known), path


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def check_rows(region: Region, wanted: Need) -> None:
    """Look past the API: claims for these servers only, nothing unfinished in the journal."""
    claimed = {str(row[0]) for row in rows(region, "SELECT server_id FROM claims")}
    assert claimed == wanted.servers
    used = "SELECT used_vcpus, used_ram_mib, used_disk_gib FROM hosts"
    total = (
        "SELECT coalesce(sum(vcpus), 0), coalesce(sum(ram_mib), 0), coalesce(sum(disk_gib), 0)"
        " FROM claims"
    )
    assert rows(region, used) == rows(region, total)
    unfinished = "SELECT kind, state, error FROM operations WHERE ended_at IS NULL"
    assert rows(region, unfinished) == []
    assert rows(region, "SELECT subject FROM operation_subjects") == []
    assert rows(region, "SELECT id FROM operations WHERE secrets IS NOT NULL") == []
    assert rows(region, "SELECT key FROM operation_steps WHERE sealed_call IS NOT NULL") == []


def rows(region: Region, statement: str) -> list[tuple[Any, ...]]:
    """Read rows of the region's store, SQLite's or PostgreSQL's."""
    if "--database" not in region.options:
        address = f"file:{region.folder()}/region.db?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as store:
            return store.execute(statement).fetchall()
    url = region.options[region.options.index("--database") + 1]
    schema = f"hanok_{region.regions[0].lower()}"
    with psycopg.connect(url, options=f"-c search_path={schema}") as connection:
        # The statements are written in this file.
        return connection.execute(statement.encode()).fetchall()
