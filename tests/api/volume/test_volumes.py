from __future__ import annotations

import re
from typing import Any

import pytest

from hanok.api.volume.service import service
from hanok.model.errors import Invalid, NotFound
from tests.operations.world import IMAGE, PROJECT, World

ROOT = "/v2/{tenant}/volumes"


def send(world: World, method: str, path: str, body: object = None, **more: Any) -> Any:
    for endpoint in service().endpoints:
        if (endpoint.method, endpoint.path) == (method, path):
            return endpoint.handler(world.call(body, **more))
    raise KeyError(path)


def one(world: World) -> dict[str, Any]:
    [volume] = send(world, "GET", f"{ROOT}/detail").body["volumes"]
    return dict(volume)


def test_a_root_volume_is_a_volume_like_others(world: World) -> None:
    server_id = world.create()
    world.settle()
    volume = one(world)
    assert (volume["status"], volume["size"], volume["bootable"]) == ("in-use", 10, "true")
    assert volume["volume_type"] == "General SSD"
    assert volume["volume_image_metadata"]["image_id"] == IMAGE
    [attachment] = volume["attachments"]
    assert (attachment["server_id"], attachment["device"]) == (server_id, "/dev/vda")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", volume["created_at"])
    assert send(world, "GET", f"{ROOT}/{{volume}}", volume=volume["id"]).body["volume"] == volume
    with pytest.raises(Invalid, match="Volume status must be available or error"):
        send(world, "DELETE", f"{ROOT}/{{volume}}", volume=volume["id"])


def test_a_volume_is_made_changed_and_deleted_for_real(world: World) -> None:
    answer = send(world, "POST", ROOT, {"volume": {"size": "3", "name": "data"}})
    assert answer.status == 202
    assert answer.body["volume"]["status"] == "creating"
    world.settle()
    volume = one(world)
    assert (volume["status"], volume["size"], volume["bootable"]) == ("available", 3, "false")
    assert world.reality()["disks"] == 1
    changed = {"volume": {"name": "new", "description": "text"}}
    answer = send(world, "PUT", f"{ROOT}/{{volume}}", changed, volume=volume["id"])
    assert (answer.status, answer.body["volume"]["name"]) == (200, "new")
    assert send(world, "DELETE", f"{ROOT}/{{volume}}", volume=volume["id"]).status == 202
    world.settle()
    assert send(world, "GET", ROOT).body["volumes"] == []
    world.assert_nothing_is_left()


def test_what_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match="Volume x could not be found"):
        send(world, "GET", f"{ROOT}/{{volume}}", volume="x")


def test_links_name_the_version_and_project(world: World) -> None:
    send(world, "POST", ROOT, {"volume": {"size": 1}})
    world.settle()
    href = one(world)["links"][0]["href"]
    assert href.startswith(f"http://test/kr1/volume/v2/{PROJECT}/volumes/")
