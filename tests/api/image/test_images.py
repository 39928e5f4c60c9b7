from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.api.image.service import service
from hanok.api.image.view import view_image
from hanok.store import images
from tests.api.one_region import OneRegion, one_region
from tests.region_store import OTHER, an_image, uuid

MADE = (
    an_image(1, project_id=None, tags=["lts"]),
    an_image(2, visibility="private", properties={"os_type": "windows"}),
    an_image(3, visibility="private", project_id=OTHER),
    an_image(4, visibility="community", project_id=OTHER),
    an_image(5, status="queued", disk_format="raw"),
)


@pytest.fixture
def api(database_url: str) -> Iterator[OneRegion]:
    with one_region(database_url, service()) as region:
        with region.store.write() as tx:
            for image in MADE:
                images.add(tx, image)
        yield region


def test_the_list_shows_public_images_and_the_projects_own(api: OneRegion) -> None:
    assert api.get("/v2/images") == {
        "images": [view_image(MADE[n]) for n in (4, 1, 0)],
        "first": "/v2/images",
        "schema": "/v2/schemas/images",
    }


@pytest.mark.parametrize(
    ("query", "caller", "wanted"),
    [
        ("", "admin", [5, 3, 2, 1]),
        ("", "other", [5, 3, 1]),
        ("name=image-2", "member", [2]),
        ("name=image-3", "member", []),
        (f"id=in:{uuid(1)},{uuid(2)},{uuid(3)}", "member", [2, 1]),
        ("status=active&sort_key=name&sort_dir=asc", "member", [1, 2]),
        ("os_type=windows", "member", [2]),
        ("nonsense=x", "member", []),
        ("tag=lts", "member", [1]),
        ("visibility=community", "member", [4]),
        ("visibility=private&member_status=all", "member", [2]),
        (f"owner={OTHER}&visibility=all", "member", [4]),
        ("size_min=1&size_max=3000000000", "member", [1]),
        ("disk_format=raw&container_format=bare", "member", [5]),
        ("limit=0", "member", []),
        ("limit=5000", "member", [5, 2, 1]),
    ],
)
def test_filters(api: OneRegion, query: str, caller: str, wanted: list[int]) -> None:
    body = api.get(f"/v2/images?{query}", caller=caller)
    assert [int(image["id"][-3:]) for image in body["images"]] == wanted
    assert "next" not in body


def test_pages_are_linked_below_the_services_root(api: OneRegion) -> None:
    body = api.get("/v2/images?limit=2&sort=name:asc")
    assert [image["id"] for image in body["images"]] == [uuid(1), uuid(2)]
    assert body["first"] == "/v2/images?limit=2&sort=name%3Aasc"
    assert body["next"] == f"/v2/images?limit=2&sort=name%3Aasc&marker={uuid(2)}"
    last = api.get(body["next"])
    assert [image["id"] for image in last["images"]] == [uuid(5)]
    assert "next" not in last
    assert last["first"] == body["first"]


def test_one_image(api: OneRegion) -> None:
    assert api.get(f"/v2/images/{uuid(2)}") == view_image(MADE[1])
    assert api.get(f"/v2/images/{uuid(4)}") == view_image(MADE[3])
    assert api.get(f"/v2/images/{uuid(3)}", caller="admin") == view_image(MADE[2])


def test_what_is_not_there_or_not_to_be_seen_is_the_same(api: OneRegion) -> None:
    for image_id in (uuid(3), uuid(9), "image-1"):
        missing = api.call("GET", f"/v2/images/{image_id}")
        assert missing.status_code == 404
        assert missing.headers["content-type"] == "text/html; charset=UTF-8"
        assert f"No image found with ID {image_id}" in missing.text


@pytest.mark.parametrize(
    "query", ["marker=x", f"marker={uuid(3)}", "limit=-1", "sort_key=x", "visibility=x", "a=%00"]
)
def test_a_wrong_query_is_refused_in_glances_shape(api: OneRegion, query: str) -> None:
    refused = api.call("GET", f"/v2/images?{query}")
    assert refused.status_code == 400
    assert "<h1>400 Bad Request</h1>" in refused.text
