from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.api._errors import image_shape
from hanok.api.image.service import service
from tests.api.one_region import OneRegion, one_region


@pytest.fixture
def api(database_url: str) -> Iterator[OneRegion]:
    with one_region(database_url, service()) as region:
        yield region


def test_it_is_the_image_service_with_glances_errors(api: OneRegion) -> None:
    one = service()
    assert (one.name, one.errors) == ("image", image_shape)
    missing = api.call("GET", "/v2/nothing")
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["", "/v2/images", "/v2/images/x", "/v2/schemas/image"])
def test_only_the_versions_are_for_everybody(api: OneRegion, path: str) -> None:
    result = api.call("GET", path, caller=None)
    assert result.status_code == (401 if path else 200)
    assert api.call("GET", path, caller="reader").status_code in (200, 404)
