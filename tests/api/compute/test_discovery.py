from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.api._call import Service
from hanok.api._errors import compute_shape
from hanok.api.compute.discovery import ENDPOINTS
from tests.api.one_region import OneRegion, one_region


@pytest.fixture
def api(database_url: str) -> Iterator[OneRegion]:
    with one_region(database_url, Service("compute", ENDPOINTS, compute_shape)) as region:
        yield region


@pytest.mark.parametrize("path", ["", "/"])
def test_only_versions_that_exist_are_listed(api: OneRegion, path: str) -> None:
    result = api.call("GET", path, caller=None)
    assert result.status_code == 200
    [version] = result.json["versions"]
    assert version["id"] == "v2.0"
    assert (version["version"], version["min_version"]) == ("", ""), "no microversions"
    [link] = version["links"]
    assert link == {"rel": "self", "href": f"{api.root}/v2/"}
    shown = api.call("GET", link["href"].removeprefix(api.root), caller=None)
    assert shown.json["version"].items() >= version.items()
    assert api.call("GET", "/v2", caller=None).json == shown.json


def test_extensions_are_told(api: OneRegion) -> None:
    known = api.get("/v2/{tenant}/extensions")["extensions"]
    aliases = [one["alias"] for one in known]
    assert "os-keypairs" in aliases
    assert len(set(aliases)) == len(aliases)
    fields = {"alias", "description", "links", "name", "namespace", "updated"}
    assert {frozenset(one) for one in known} == {frozenset(fields)}
    assert api.get("/v2/{tenant}/extensions/os-keypairs") == {
        "extension": known[aliases.index("os-keypairs")]
    }
    assert api.refused("GET", "/v2/{tenant}/extensions/os-moon")[0] == 404
    assert api.call("GET", "/v2/x/extensions", caller=None).status_code == 401
