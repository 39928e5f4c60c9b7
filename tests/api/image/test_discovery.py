from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.api.image.service import service
from tests.api.one_region import OneRegion, one_region


@pytest.fixture
def api(database_url: str) -> Iterator[OneRegion]:
    with one_region(database_url, service()) as region:
        yield region


@pytest.mark.parametrize("path", ["", "/", "/versions", "/versions/"])
def test_the_root_says_where_version_two_is(api: OneRegion, path: str) -> None:
    result = api.call("GET", path, caller=None)
    assert result.status_code == 200
    [version] = result.json["versions"]
    assert version["id"].startswith("v2.")
    assert version["status"] == "CURRENT"
    assert version["links"] == [{"rel": "self", "href": f"{api.root}/v2/"}]
