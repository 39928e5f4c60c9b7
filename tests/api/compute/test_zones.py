from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hanok.api._call import Service
from hanok.api._errors import compute_shape
from hanok.api.compute.zones import ENDPOINTS
from hanok.model.host import Host
from hanok.model.zone import Zone
from hanok.store import hosts, zones
from tests.api.one_region import OneRegion, one_region
from tests.region_store import NOW, uuid

ZONES = "/v2/{tenant}/os-availability-zone"
HOST = Host(uuid(1), "one", "simulated", "", "up", 1, 1, 1, 0, 0, 0, NOW, ("kr-pub-a",))


@pytest.fixture
def api(database_url: str) -> Iterator[OneRegion]:
    with one_region(database_url, Service("compute", ENDPOINTS, compute_shape)) as region:
        with region.store.write() as tx:
            zones.add(tx, Zone("kr-pub-a", available=True))
            zones.add(tx, Zone("kr-pub-b", available=False))
            hosts.register(tx, HOST)
            both = ("kr-pub-a", "kr-pub-b")
            hosts.register(tx, replace(HOST, id=uuid(2), name="two", state="down", zones=both))
        yield region


def test_the_list_is_the_guides_with_null_hosts(api: OneRegion) -> None:
    assert api.get(ZONES) == {
        "availabilityZoneInfo": [
            {"zoneName": "kr-pub-a", "zoneState": {"available": True}, "hosts": None},
            {"zoneName": "kr-pub-b", "zoneState": {"available": False}, "hosts": None},
        ]
    }


def test_an_administrator_sees_the_hosts(api: OneRegion) -> None:
    first, second = api.get(f"{ZONES}/detail", caller="admin")["availabilityZoneInfo"]
    moment = "2023-11-14T22:13:20.000000"
    up = {"nova-compute": {"active": True, "available": True, "updated_at": moment}}
    down = {"nova-compute": {"active": True, "available": False, "updated_at": moment}}
    assert first["hosts"] == {"one": up, "two": down}
    assert second["hosts"] == {"two": down}


def test_the_hosts_are_no_tenants_business(api: OneRegion) -> None:
    assert api.refused("GET", f"{ZONES}/detail")[0] == 403
