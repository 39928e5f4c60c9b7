from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hanok.api.volume import volume_create
from hanok.api.volume.service import service
from hanok.model.errors import Conflict, HanokError, NotFound
from hanok.store import images
from tests.operations.world import IMAGE, World
from tests.region_store import uuid

ROOT = "/v2/{tenant}/volumes"


def send(world: World, method: str, path: str, body: object = None, **more: Any) -> Any:
    for endpoint in service().endpoints:
        if (endpoint.method, endpoint.path) == (method, path):
            return endpoint.handler(world.call(body, **more))
    raise KeyError(path)


def one(world: World) -> dict[str, Any]:
    [volume] = send(world, "GET", f"{ROOT}/detail").body["volumes"]
    return dict(volume)


def test_a_volume_from_an_image_is_bootable(world: World) -> None:
    send(world, "POST", ROOT, {"volume": {"size": 10, "imageRef": IMAGE}})
    world.settle()
    volume = one(world)
    assert volume["bootable"] == "true"
    assert volume["volume_image_metadata"]["image_id"] == IMAGE


def test_an_image_is_named_by_its_address_or_its_name_too(world: World) -> None:
    with world.store.write() as tx:
        image = images.get(tx, IMAGE, None)
        assert image is not None
        for number, name in ((1, "two of them"), (2, "two of them"), (3, "the one")):
            images.add(tx, replace(image, id=uuid(number), name=name))
    address = f"http://cloud.example/kr1/image/v2/images/{IMAGE}"
    for wanted, image_id in ((address, IMAGE), ("the one", uuid(3))):
        body = {"volume": {"size": 10, "imageRef": wanted, "multiattach": "false"}}
        made = send(world, "POST", ROOT, body).body["volume"]
        assert made["volume_image_metadata"]["image_id"] == image_id
    with pytest.raises(Conflict, match="Multiple matches found for 'two of them'"):
        send(world, "POST", ROOT, {"volume": {"size": 10, "imageRef": "two of them"}})
    world.settle()


def test_names_have_no_outer_spaces_and_may_be_none(world: World) -> None:
    asked = {"size": 1, "name": " data ", "description": "\tof mine "}
    made = send(world, "POST", ROOT, {"volume": asked}).body["volume"]
    assert (made["name"], made["description"]) == ("data", "of mine")
    change = {"volume": {"name": " other ", "description": " "}}
    changed = send(world, "PUT", f"{ROOT}/{{volume}}", change, volume=made["id"]).body["volume"]
    assert (changed["name"], changed["description"]) == ("other", "")
    nameless = send(world, "POST", ROOT, {"volume": {"size": 1, "name": None}}).body["volume"]
    assert nameless["name"] is None
    assert None in [one["name"] for one in send(world, "GET", ROOT).body["volumes"]]
    world.settle()


def test_an_image_that_goes_meanwhile_makes_no_volume(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deleted_after_the_look(*asked: Any) -> Any:
        found = look(*asked)
        with world.store.write() as tx:
            assert images.doom(tx, IMAGE, 1)
        return found

    look = volume_create._image
    monkeypatch.setattr(volume_create, "_image", deleted_after_the_look)
    with pytest.raises(NotFound):
        send(world, "POST", ROOT, {"volume": {"size": 10, "imageRef": IMAGE}})
    assert send(world, "GET", ROOT).body["volumes"] == []


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        ({}, "size"),
        ({"size": 0}, "size"),
        ({"size": -1}, "size"),
        ({"size": True}, "size"),
        ({"size": 2**63}, "size"),
        ({"size": "many"}, "size"),
        ({"size": 1, "name": "x" * 256}, "name"),
        ({"size": 1, "metadata": {"": "x"}}, "metadata"),
        ({"size": 1, "volume_type": "x"}, "Volume type with name x could not be found."),
        ({"size": 1, "availability_zone": "x"}, "Availability zone 'x' is invalid."),
        ({"size": 1, "imageRef": "x"}, "Invalid image identifier or unable to access"),
        ({"size": 1, "multiattach": True}, "multiattach is not offered"),
        ({"size": 1, "multiattach": "perhaps"}, "multiattach"),
        ({"size": 1, "snapshot_id": "x"}, "not offered"),
        ({"size": 1, "nhn_encryption": {"skm_appkey": "a"}}, "skm_key_id"),
        ({"size": 1, "nhn_encryption": {"skm_appkey": "a", "skm_key_id": "b"}}, "not offered"),
    ],
)
def test_what_is_odd_is_refused(world: World, volume: dict[str, Any], text: str) -> None:
    with pytest.raises(HanokError) as caught:
        send(world, "POST", ROOT, {"volume": volume})
    assert text in caught.value.message
    assert send(world, "GET", ROOT).body["volumes"] == []
