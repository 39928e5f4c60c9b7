"""Hosts, zones of hosts, and the claims on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from hanok.model.host import TRANSLATION_CACHE_MIB, Claim, Host
from hanok.store.database import Reader, Transaction
from hanok.store.region_tables import claims, host_zones, hosts

_columns = [hosts.c[f.name] for f in fields(Host) if f.name != "zones"]
_all = select(*_columns).order_by(hosts.c.name)
_zones = select(host_zones.c.host_id, host_zones.c.zone).order_by(host_zones.c.zone)


def all_hosts(reader: Reader) -> list[Host]:
    """Return every host of the region with its zones."""
    zones: dict[str, tuple[str, ...]] = {}
    for row in reader.rows(_zones):
        zones[row.host_id] = (*zones.get(row.host_id, ()), row.zone)
    return [Host(**row._mapping, zones=zones.get(row.id, ())) for row in reader.rows(_all)]


def register(tx: Transaction, host: Host) -> None:
    """Add a host, or take over what was measured of a known one (its claims stay)."""
    measured: dict[str, Any] = {
        "driver": host.driver,
        "accel": host.accel,
        "state": host.state,
        "vcpus": host.vcpus,
        "ram_mib": host.ram_mib,
        "disk_gib": host.disk_gib,
        "seen_at": host.seen_at,
    }
    if tx.run(update(hosts).where(hosts.c.id == host.id).values(**measured)):
        return
    tx.run(insert(hosts).values(id=host.id, name=host.name, **measured))
    if host.zones:
        tx.run(insert(host_zones), [{"host_id": host.id, "zone": zone} for zone in host.zones])


def set_state(tx: Transaction, host_id: str, state: str, now: int) -> None:
    """Note that from now on a host answers, or does not."""
    tx.run(update(hosts).where(hosts.c.id == host_id).values(state=state, seen_at=now))


_claim = (
    update(hosts)
    .where(
        hosts.c.id == bindparam("host"),
        hosts.c.state == "up",
        hosts.c.used_vcpus + bindparam("v") <= hosts.c.vcpus,
        hosts.c.used_ram_mib + bindparam("r") <= hosts.c.ram_mib,
        hosts.c.used_disk_gib + bindparam("d") <= hosts.c.disk_gib,
    )
    .values(
        used_vcpus=hosts.c.used_vcpus + bindparam("v"),
        used_ram_mib=hosts.c.used_ram_mib + bindparam("r"),
        used_disk_gib=hosts.c.used_disk_gib + bindparam("d"),
    )
)


def claim(tx: Transaction, server_id: str, host_id: str, wanted: Claim) -> bool:
    """Take capacity for a server if it is still there; False when it is not.

    A server that already holds a claim on this host keeps that one.
    """
    held = tx.scalar(select(claims.c.host_id).where(claims.c.server_id == server_id))
    if held is not None:
        return bool(held == host_id)
    amounts = {"v": wanted.vcpus, "r": wanted.ram_mib, "d": wanted.disk_gib}
    if not tx.run(_claim, {"host": host_id, **amounts}):
        return False
    tx.run(
        insert(claims).values(
            server_id=server_id,
            host_id=host_id,
            vcpus=wanted.vcpus,
            ram_mib=wanted.ram_mib,
            disk_gib=wanted.disk_gib,
        )
    )
    return True


_claim_of = select(claims).where(claims.c.server_id == bindparam("server"))
_give = (
    update(hosts)
    .where(hosts.c.id == bindparam("host"))
    .values(
        used_vcpus=hosts.c.used_vcpus - bindparam("v"),
        used_ram_mib=hosts.c.used_ram_mib - bindparam("r"),
        used_disk_gib=hosts.c.used_disk_gib - bindparam("d"),
    )
)


def release(tx: Transaction, server_id: str) -> None:
    """Give back whatever a server holds; nothing is success."""
    row = tx.first(_claim_of, {"server": server_id})
    if row is None:
        return
    tx.run(delete(claims).where(claims.c.server_id == server_id))
    tx.run(_give, {"host": row.host_id, "v": row.vcpus, "r": row.ram_mib, "d": row.disk_gib})


_grow = (
    update(hosts)
    .where(
        hosts.c.id == bindparam("host"),
        hosts.c.used_vcpus + bindparam("v") <= hosts.c.vcpus,
        hosts.c.used_ram_mib + bindparam("r") <= hosts.c.ram_mib,
    )
    .values(
        used_vcpus=hosts.c.used_vcpus + bindparam("v"),
        used_ram_mib=hosts.c.used_ram_mib + bindparam("r"),
    )
)


_shrink = (
    update(hosts)
    .where(hosts.c.id == bindparam("host"))
    .values(
        used_vcpus=hosts.c.used_vcpus + bindparam("v"),
        used_ram_mib=hosts.c.used_ram_mib + bindparam("r"),
    )
)


def resize_claim(tx: Transaction, server_id: str, wanted: Claim) -> bool:
    """Change the CPUs and memory that a server holds, its disk stays; False without room.

    What the domain takes beside its memory stays on top. Saying the same again changes nothing.
    """
    row = tx.first(_claim_of, {"server": server_id})
    if row is None:
        return True
    accel = tx.scalar(select(hosts.c.accel).where(hosts.c.id == row.host_id))
    ram = wanted.ram_mib + (TRANSLATION_CACHE_MIB if accel == "tcg" else 0)
    more = {"v": wanted.vcpus - row.vcpus, "r": ram - row.ram_mib}
    shrinks = more["v"] <= 0 and more["r"] <= 0
    if not tx.run(_shrink if shrinks else _grow, {"host": row.host_id, **more}):
        return False
    tx.run(
        update(claims)
        .where(claims.c.server_id == server_id)
        .values(vcpus=wanted.vcpus, ram_mib=ram)
    )
    return True


def without(reader: Reader, server_id: str) -> list[Host]:
    """Return the host of a server as it would be if the server held nothing; empty: it is on none.

    This is what tells why `resize_claim` found no room.
    """
    row = reader.first(_claim_of, {"server": server_id})
    return [
        replace(
            host,
            used_vcpus=host.used_vcpus - row.vcpus,
            used_ram_mib=host.used_ram_mib - row.ram_mib,
            used_disk_gib=host.used_disk_gib - row.disk_gib,
        )
        for host in all_hosts(reader)
        if row is not None and host.id == row.host_id
    ]


def claimed(reader: Reader) -> Sequence[tuple[str, str]]:
    """Return every (server id, host id) that holds capacity."""
    return [(row.server_id, row.host_id) for row in reader.rows(select(claims))]
