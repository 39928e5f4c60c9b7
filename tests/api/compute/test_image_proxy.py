from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.api._call import Service
from hanok.api._errors import compute_shape
from hanok.api.compute.image_proxy import ENDPOINTS
from hanok.store import images
from tests.api.one_region import OneRegion, one_region
from tests.region_store import MINE, OTHER, an_image, uuid

IMAGES = "/v2/{tenant}/images"


@pytest.fixture
def api(database_url: str) -> Iterator[OneRegion]:
    with one_region(database_url, Service("compute", ENDPOINTS, compute_shape)) as region:
        with region.store.write() as tx:
            images.add(tx, an_image(1, min_disk_gib=10, min_ram_mib=512, project_id=None))
            images.add(tx, an_image(2, visibility="private", project_id=OTHER))
            images.add(tx, an_image(3, status="queued", size_bytes=None, properties={"n": 1}))
        yield region


def test_an_image_as_nova_shows_it(api: OneRegion) -> None:
    one = uuid(1)
    assert api.get(f"{IMAGES}/{one}") == {
        "image": {
            "id": one,
            "name": "image-1",
            "status": "ACTIVE",
            "progress": 100,
            "minDisk": 10,
            "minRam": 512,
            "created": "2023-11-14T22:13:21Z",
            "updated": "2023-11-14T22:13:21Z",
            "metadata": {"os_type": "linux"},
            "links": [
                {"rel": "self", "href": f"{api.root}/v2/{MINE}/images/{one}"},
                {"rel": "bookmark", "href": f"{api.root}/{MINE}/images/{one}"},
                {
                    "rel": "alternate",
                    "type": "application/vnd.openstack.image",
                    "href": f"https://cloud.example:9000/kr1/image/v2/images/{one}",
                },
            ],
            "OS-EXT-IMG-SIZE:size": 2**31,
        }
    }


def test_an_image_in_the_making(api: OneRegion) -> None:
    image = api.get(f"{IMAGES}/{uuid(3)}")["image"]
    assert (image["status"], image["progress"]) == ("SAVING", 25)
    assert (image["OS-EXT-IMG-SIZE:size"], image["metadata"]) == (0, {"n": "1"})


def test_another_projects_image_is_not_there(api: OneRegion) -> None:
    for image_id in (uuid(2), uuid(9), "nonsense"):
        assert api.refused("GET", f"{IMAGES}/{image_id}") == (404, "Image not found.")
    assert api.call("GET", f"{IMAGES}/{uuid(2)}", caller="other").status_code == 200
    assert api.call("GET", f"{IMAGES}/{uuid(2)}", caller="admin").status_code == 200


def listed(api: OneRegion, path: str, **more: str) -> list[str]:
    return [image["name"] for image in api.get(path, **more)["images"]]


def test_a_list_shows_little_of_each_and_the_details_all(api: OneRegion) -> None:
    one = api.get(f"{IMAGES}/{uuid(1)}")["image"]
    [_, short] = api.get(IMAGES)["images"]
    assert short == {key: one[key] for key in ("id", "name", "links")}
    [_, full] = api.get(f"{IMAGES}/detail")["images"]
    assert full == one


def test_a_list_holds_what_the_caller_may_see_the_newest_first(api: OneRegion) -> None:
    assert listed(api, IMAGES) == ["image-3", "image-1"]
    assert listed(api, IMAGES, caller="other") == ["image-3", "image-2", "image-1"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=image-1", ["image-1"]),
        ("status=ACTIVE", ["image-1"]),
        ("status=SAVING", ["image-3"]),
        ("minDisk=10", ["image-1"]),
        ("minRam=512", ["image-1"]),
        ("property-os_type=linux", ["image-1"]),
        ("changes-since=2023-11-14T22:13:23Z", ["image-3"]),
        ("server=https://cloud.example/v2/servers/nothing", []),
        ("type=snapshot", []),
        ("visibility=private&unknown=1", ["image-3", "image-1"]),
    ],
)
def test_filters_of_a_list(api: OneRegion, query: str, names: list[str]) -> None:
    assert listed(api, f"{IMAGES}?{query}") == names
    assert listed(api, f"{IMAGES}/detail?{query}") == names


def test_pages_of_a_list(api: OneRegion) -> None:
    page = api.get(f"{IMAGES}/detail?limit=1&status=")
    assert [image["name"] for image in page["images"]] == []
    page = api.get(f"{IMAGES}/detail?limit=1")
    assert [image["name"] for image in page["images"]] == ["image-3"]
    [link] = page["images_links"]
    address = f"{api.root}/v2/{MINE}/images/detail?limit=1&marker={uuid(3)}"
    assert link == {"rel": "next", "href": address}
    last = api.get(f"{IMAGES}/detail?limit=1&marker={uuid(3)}")
    assert [image["name"] for image in last["images"]] == ["image-1"]
    assert "images_links" not in last
    assert api.get(f"{IMAGES}?limit=0") == {"images": []}
    assert api.refused("GET", f"{IMAGES}?marker=x") == (400, "marker [x] not found")


def test_delete_is_the_image_services_own(api: OneRegion) -> None:
    path = f"{IMAGES}/{uuid(3)}"
    assert api.refused("DELETE", path, caller="reader")[0] == 403
    assert api.call("DELETE", path).status_code == 204
    assert api.refused("GET", path)[0] == 404
    assert api.refused("DELETE", path)[0] == 404
    assert api.refused("DELETE", f"{IMAGES}/{uuid(1)}")[0] == 403
