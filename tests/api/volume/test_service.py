from __future__ import annotations

from dataclasses import replace

import pytest

from hanok.store import volumes
from hanok.store.region_tables import volume_types
from tests.api.one_region import OneRegion


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
    assert volume.call("DELETE", "/v3/{tenant}/snapshots/x").status_code == 404
    result = volume.call("POST", "/v3/{tenant}/snapshots", {})
    assert (result.status_code, list(result.json)) == (501, ["notImplemented"])
    assert volume.refused("GET", "/v3/{tenant}/snapshots/x") == (
        404,
        "Snapshot x could not be found.",
    )
    assert volume.refused("GET", "/v2/{tenant}/types/x")[0] == 404


def test_another_project_in_the_path_is_refused(volume: OneRegion) -> None:
    code, text = volume.refused("GET", f"/v2/{'f' * 32}/volumes")
    assert code == 400
    assert "Malformed request URL" in text


def test_extensions_and_zones(volume: OneRegion) -> None:
    for extension in volume.get("/v2/{tenant}/extensions")["extensions"]:
        assert {"name", "alias", "description", "updated", "links"} <= set(extension)
    zones = volume.get("/v3/{tenant}/os-availability-zone")["availabilityZoneInfo"]
    assert zones == [
        {"zoneName": name, "zoneState": {"available": True}} for name in ("kr-pub-a", "kr-pub-b")
    ]


def test_private_types_are_an_administrators(volume: OneRegion) -> None:
    def names(query: str, caller: str) -> list[str]:
        found = volume.get(f"/v3/{{tenant}}/types{query}", caller=caller)["volume_types"]
        return [one["name"] for one in found]

    with volume.store.write() as tx:
        public = volumes.types(tx)
        hidden = replace(public[0], id="hidden", name="hidden", is_public=False, position=9)
        row = {name: getattr(hidden, name) for name in volume_types.c.keys()}  # noqa: SIM118
        tx.run(volume_types.insert(), row)
    for query in ("", "?is_public=none", "?is_public=False"):
        assert names(query, "member") == [one.name for one in public]
    assert names("", "admin") == [one.name for one in public]
    assert names("?is_public=False", "admin") == ["hidden"]
    assert names("?is_public=none", "admin") == [*(one.name for one in public), "hidden"]


@pytest.mark.parametrize(("version", "said"), [("v2", None), ("v3", "volume 3.0")])
def test_v3_names_its_microversion(volume: OneRegion, version: str, said: str | None) -> None:
    result = volume.call("GET", f"/{version}/{{tenant}}/types")
    assert result.headers.get("openstack-api-version") == said
