from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.api.volume.service import service
from hanok.engine.clock import SystemClock
from hanok.store import first_start
from tests.api.one_region import OneRegion, one_region
from tests.region_store import MINE


@pytest.fixture
def volume(database_url: str) -> Iterator[OneRegion]:
    with one_region(database_url, service()) as region:
        with region.store.write() as tx:
            first_start.seed(
                tx,
                clock=SystemClock(),
                region="KR1",
                projects=(MINE,),
                network_cidr="192.168.0.0/24",
            )
        yield region


def test_discovery_tells_both_versions(volume: OneRegion) -> None:
    result = volume.call("GET", "", caller=None)
    assert result.status_code == 300
    assert [v["id"] for v in result.json["versions"]] == ["v2.0", "v3.0"]
    [three] = volume.call("GET", "/v3/", caller=None).json["versions"]
    assert (three["version"], three["min_version"]) == ("3.0", "3.0")
    assert three["links"][0]["href"] == f"{volume.root}/v3/"


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_types_are_the_same_in_both_versions(volume: OneRegion, version: str) -> None:
    types = volume.get(f"/{version}/{{tenant}}/types")["volume_types"]
    assert types[0]["name"] == "General SSD"
    shown = volume.get(f"/{version}/{{tenant}}/types/{types[0]['id']}")["volume_type"]
    assert shown == types[0]
    assert volume.get(f"/{version}/{{tenant}}/types/default")["volume_type"] == types[0]


def test_what_there_is_none_of_is_an_empty_list(volume: OneRegion) -> None:
    assert volume.get("/v3/{tenant}/snapshots/detail") == {"snapshots": []}
    assert volume.get("/v3/{tenant}/extensions") == {"extensions": []}
    assert volume.refused("GET", "/v3/{tenant}/snapshots/x") == (
        404,
        "Snapshot x could not be found.",
    )
    assert volume.refused("GET", "/v2/{tenant}/types/x")[0] == 404


def test_another_project_in_the_path_is_refused(volume: OneRegion) -> None:
    code, text = volume.refused("GET", f"/v2/{'f' * 32}/volumes")
    assert code == 400
    assert "Malformed request URL" in text
