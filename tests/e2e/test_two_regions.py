"""Two regions in one process: one identity, and nothing else in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.e2e.cloud import Cloud, ids
from tests.e2e.inventory import check_rows, need, rows
from tests.e2e.region import Region, region

SERVICES = {"compute", "image", "volumev2", "volumev3", "network"}


@pytest.fixture(scope="module")
def running() -> Iterator[Region]:
    with region("simulated", "--region", "KR1", "--region", "KR2") as found:
        yield found


@pytest.fixture(scope="module")
def clouds(running: Region) -> tuple[Cloud, Cloud]:
    account = running.account()
    return running.cloud(account), running.cloud(replace(account, region="KR2"))


def test_the_catalog_lists_every_service_of_both(clouds: tuple[Cloud, Cloud]) -> None:
    catalog = clouds[0].catalog
    assert {"KR1", "KR2"} <= set(catalog)
    for name in ("KR1", "KR2"):
        assert set(catalog[name]) >= SERVICES
        for service in SERVICES:
            assert f"/{name.lower()}/" in catalog[name][service]


def test_a_server_of_one_is_not_found_in_the_other(
    running: Region, clouds: tuple[Cloud, Cloud]
) -> None:
    first, second = clouds
    made = first.create("here", "m2.c1m2")
    server = first.wait_status(made, "ACTIVE")
    assert server["OS-EXT-AZ:availability_zone"].startswith("kr-pub-")
    (volume,) = first.volumes()
    (port,) = [one for one in first.ports() if one["device_id"] == made]
    for method, service, path in (
        ("GET", "compute", f"/servers/{made}"),
        ("DELETE", "compute", f"/servers/{made}"),
        ("GET", "volumev2", f"/volumes/{volume['id']}"),
        ("GET", "network", f"/v2.0/ports/{port['id']}"),
        ("GET", "image", f"/v2/images/{first.image_id()}"),
    ):
        assert second.request(method, service, path).status_code == 404, path
    assert second.servers() == second.ports() == second.volumes() == []
    assert first.wait_status(made, "ACTIVE")["id"] == made
    assert rows(running, "SELECT count(*) FROM claims") == [(1,)]
    first.delete(made)
    first.wait_gone(made)


def test_each_makes_its_own_from_its_own_image(
    running: Region, clouds: tuple[Cloud, Cloud]
) -> None:
    made = [cloud.create("same name", "u2.c1m1") for cloud in clouds]
    for cloud, server_id in zip(clouds, made, strict=True):
        cloud.wait_status(server_id, "ACTIVE")
        assert ids(cloud.servers()) == {server_id}
    zones = [
        cloud.server(one)["OS-EXT-AZ:availability_zone"]
        for cloud, one in zip(clouds, made, strict=True)
    ]
    assert zones[1].startswith("kr2-pub-")
    check_rows(running, need(clouds[0]))
    for cloud, server_id in zip(clouds, made, strict=True):
        cloud.delete(server_id)
        cloud.wait_gone(server_id)


def test_a_key_pair_is_of_its_region(clouds: tuple[Cloud, Cloud]) -> None:
    body = {"keypair": {"name": "only here"}}
    clouds[0].call("POST", "compute", "/os-keypairs", body)
    assert clouds[1].get("compute", "/os-keypairs")["keypairs"] == []
