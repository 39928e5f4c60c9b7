from __future__ import annotations

from typing import Any

import pytest

from tests.api.image.images_made import RAW, put, refusal, register, show
from tests.api.one_region import ROOT, OneRegion
from tests.region_store import MINE, OTHER, an_image, uuid

NHN = {"os_type": "linux", "login_username": "ubuntu", "os_version": "22.04", "tc_env": "x"}


def test_an_image_of_nothing_is_queued_for_its_project(api: OneRegion) -> None:
    made = api.call("POST", "/v2/images", {})
    assert made.status_code == 201
    image = made.json
    assert made.headers["location"] == f"{ROOT}/kr1/image/v2/images/{image['id']}"
    assert {name: image[name] for name in ("status", "visibility", "owner", "protected")} == {
        "status": "queued",
        "visibility": "shared",
        "owner": MINE,
        "protected": False,
    }
    for name in ("name", "disk_format", "container_format", "size", "checksum", "virtual_size"):
        assert image[name] is None
    assert (image["min_disk"], image["min_ram"], image["tags"]) == (0, 0, [])
    assert image["created_at"] == image["updated_at"]
    assert show(api, image["id"], caller="member") == image


def test_everything_that_is_said_of_it_is_kept_and_lies_flat(api: OneRegion) -> None:
    asked = {
        "name": "ubuntu",
        "visibility": "private",
        "protected": True,
        "tags": ["lts"],
        "min_disk": 20,
        "min_ram": 1024,
        "os_hidden": False,
        "owner": MINE,
        **RAW,
        **NHN,
    }
    made = api.call("POST", "/v2/images", asked).json
    assert {name: made[name] for name in asked} == asked
    assert api.get(f"/v2/images/{made['id']}") == made


def test_a_client_may_choose_the_id_once(api: OneRegion) -> None:
    wanted = "ABCDEF00-0000-4000-8000-000000000001"
    made = register(api, id=wanted)
    assert made == wanted.lower()
    for caller in ("member", "other"):
        again = api.call("POST", "/v2/images", {"id": wanted}, caller=caller)
        assert refusal(again) == (409, f"Image ID {made} already exists!")
    assert show(api, made)["owner"] == MINE


def test_the_id_of_an_image_that_is_to_go_is_still_taken(api: OneRegion) -> None:
    put(api, an_image(1, status="pending_delete"))
    assert api.call("POST", "/v2/images", {"id": uuid(1)}).status_code == 409


def test_one_of_many_at_once_gets_the_id(api: OneRegion) -> None:
    codes = api.at_once(6, "POST", "/v2/images", {"id": uuid(7)})
    assert sorted(codes) == [201, *[409] * 5]


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ([], 400, "Expected"),
        ({"id": "image-1"}, 400, "'id' is a UUID"),
        ({"id": None, "name": 5}, 400, "name"),
        ({"os_hidden": True}, 400, "os_hidden"),
        ({"disk_format": "vmdk"}, 400, "disk_format"),
        ({"os_version": 22}, 400, "os_version"),
        ({"size": 5}, 403, "'size' is read-only"),
        ({"status": "active"}, 403, "'status' is read-only"),
        ({"locations": []}, 403, "'locations' is read-only"),
        ({"visibility": "public"}, 403, "publish"),
        ({"owner": OTHER}, 403, "owner"),
        ({f"p{n}": "" for n in range(129)}, 413, "Attempted: 129, Maximum: 128"),
        ({"tags": [str(n) for n in range(129)]}, 413, "Attempted: 129, Maximum: 128"),
    ],
)
def test_what_is_refused_leaves_no_image(api: OneRegion, asked: Any, code: int, words: str) -> None:
    status, sentence = refusal(api.call("POST", "/v2/images", asked))
    assert (status, words in sentence) == (code, True), sentence
    assert api.get("/v2/images?visibility=all", caller="admin")["images"] == []


def test_an_administrator_publishes_and_gives_away(api: OneRegion) -> None:
    public = register(api, caller="admin", visibility="public", owner=OTHER)
    shown = show(api, public, caller="other")
    assert (shown["visibility"], shown["owner"]) == ("public", OTHER)
    assert show(api, register(api, caller="admin", owner=None))["owner"] is None


def test_a_reader_makes_none(api: OneRegion) -> None:
    assert api.call("POST", "/v2/images", {}, caller="reader").status_code == 403
