"""Availability zones: the guide's list, and an administrator's with the hosts."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call, Endpoint
from hanok.model.host import Host
from hanok.model.moments import iso_micro
from hanok.model.zone import Zone
from hanok.store import hosts, zones

ROOT = "/v2/{tenant}/os-availability-zone"


def _view(zone: Zone, machines: dict[str, Any] | None) -> dict[str, Any]:
    """Show a zone; `hosts` is null for tenants, and required by OpenStack's schema."""
    return {
        "zoneName": zone.name,
        "zoneState": {"available": zone.available},
        "hosts": machines,
    }


def _list(call: Call) -> Answer:
    with call.region.store.read() as reader:
        known = zones.all_zones(reader)
    return Answer(200, {"availabilityZoneInfo": [_view(zone, None) for zone in known]})


def _details(call: Call) -> Answer:
    with call.region.store.read() as reader:
        known, machines = zones.all_zones(reader), hosts.all_hosts(reader)
    body = [
        _view(zone, {host.name: _host(host) for host in machines if zone.name in host.zones})
        for zone in known
    ]
    return Answer(200, {"availabilityZoneInfo": body})


def _host(host: Host) -> dict[str, Any]:
    """Show a host as Nova shows its one service there: whether it answers, and since when."""
    state = {
        "active": True,
        "available": host.state == "up",
        "updated_at": iso_micro(host.seen_at),
    }
    return {"nova-compute": state}


ENDPOINTS = (
    Endpoint("GET", ROOT, _list, "zones:read"),
    Endpoint("GET", f"{ROOT}/detail", _details, "zones:detail"),
)
