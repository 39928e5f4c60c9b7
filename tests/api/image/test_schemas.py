from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.api.image.service import service
from hanok.api.image.view import view_image
from tests.api.one_region import OneRegion, one_region
from tests.region_store import an_image


@pytest.fixture
def api(database_url: str) -> Iterator[OneRegion]:
    with one_region(database_url, service()) as region:
        yield region


def test_the_schema_names_every_attribute(api: OneRegion) -> None:
    schema = api.get("/v2/schemas/image")
    assert schema["name"] == "image"
    assert set(schema["properties"]) == set(view_image(an_image(1, properties={})))
    assert schema["additionalProperties"] == {"type": "string"}
    listed = api.get("/v2/schemas/images")
    assert listed["properties"]["images"]["items"] == schema
    assert set(listed["properties"]) == {"images", "first", "next", "schema"}
