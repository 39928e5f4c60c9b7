from __future__ import annotations

from typing import Any

import pytest

from hanok.api._call import Answer
from hanok.model.errors import Conflict, Forbidden, Invalid, NotFound
from hanok.store import images, servers, volumes
from tests.operations.world import ADMIN, PROJECT, World, by, endpoint_of

KEY = "os-volume_upload_image"


@pytest.fixture
def volume_id(world: World) -> str:
    made = world.block_storage("POST", "volumes", {"volume": {"size": 2, "description": "data"}})
    world.settle()
    return str(made.body["volume"]["id"])


def ask(world: World, volume_id: str, body: object, path: str = "v3") -> Answer:
    endpoint = endpoint_of("POST", f"/{path}/{{tenant}}/volumes/{{volume}}/action")
    answer: Answer = endpoint.handler(world.call(body, volume=volume_id))
    return answer


def upload(world: World, volume_id: str, **asked: Any) -> Answer:
    return ask(world, volume_id, {KEY: {"image_name": "copy", **asked}})


def status(world: World, volume_id: str) -> str:
    with world.store.read() as reader:
        found = volumes.find(reader, volume_id)
    assert found is not None
    return found.status


def test_the_answer_names_the_image_and_the_volume_is_uploading(
    world: World, volume_id: str
) -> None:
    with world.misbehaving(delays={"storage.export_disk": [0.3, 0.3]}):
        answer = upload(world, volume_id, force="False", disk_format="qcow2", protected=True)
        assert answer.status == 202
        shown = dict(answer.body[KEY])
        image_id = shown.pop("image_id")
        assert shown.pop("updated_at")
        kind = shown.pop("volume_type")
        assert (kind["name"], kind["is_public"]) == ("General SSD", True), "an object, here alone"
        assert shown == {
            "id": volume_id,
            "status": "uploading",
            "display_description": "data",
            "size": 2,
            "image_name": "copy",
            "disk_format": "qcow2",
            "container_format": "bare",
            "visibility": "private",
            "protected": True,
        }
        assert status(world, volume_id) == "uploading"
        with pytest.raises(Invalid, match="Volume status must be available"):
            world.block_storage("DELETE", "volumes/{volume}", volume=volume_id)
        with pytest.raises(
            Invalid, match="status must be available, but current status is: uploading"
        ):
            upload(world, volume_id)
        world.settle()
    with world.store.read() as reader:
        image = images.get(reader, image_id, PROJECT)
    assert image is not None
    assert (image.status, image.protected, image.min_disk_gib) == ("active", True, 2)
    assert status(world, volume_id) == "available"


def test_the_image_of_a_root_volume_is_one_to_boot_from(world: World) -> None:
    server_id = world.create()
    world.settle()
    with world.store.read() as reader:
        [(_, root)] = volumes.of_server(reader, server_id)
    with pytest.raises(Invalid, match="current status is: in-use"):
        upload(world, root.id)
    answer = upload(world, root.id, force=True, disk_format="qcow2")
    world.settle()
    assert status(world, root.id) == "in-use"
    assert world.server(server_id).vm_state == "active"
    image_id = answer.body[KEY]["image_id"]
    with world.store.read() as reader:
        image = images.get(reader, image_id, PROJECT)
    assert image is not None
    assert image.properties == {"os_type": "linux"}
    device = {
        "source_type": "image",
        "uuid": image_id,
        "boot_index": 0,
        "volume_size": 10,
        "destination_type": "volume",
    }
    second = world.create(imageRef=image_id, block_device_mapping_v2=[device])
    world.settle()
    assert world.server(second).vm_state == "active"


def test_a_server_in_the_midst_of_something_keeps_its_disk(world: World) -> None:
    server_id = world.create()
    world.settle()
    with world.store.read() as reader:
        [(_, root)] = volumes.of_server(reader, server_id)
    with world.store.write() as tx:
        servers.change(tx, server_id, 1, {"task_state": "rebooting"})
    with pytest.raises(Conflict, match="in task_state rebooting"):
        upload(world, root.id, force=True)
    assert status(world, root.id) == "in-use"


def test_a_delete_of_the_server_wins(world: World) -> None:
    server_id = world.create()
    world.settle()
    world.engine.stop()
    with world.store.read() as reader:
        [(_, root)] = volumes.of_server(reader, server_id)
    upload(world, root.id, force=True)
    world.delete(server_id)
    world.close()
    again = World(world.url, world.folder).open().start()
    again.settle()
    again.assert_nothing_is_left()
    with again.store.read() as reader:
        assert len(images.page(reader, images.Listing(PROJECT, 10)) or []) == 1
    again.close()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "names one action"),
        ({KEY: {}, "os-extend": {}}, "names one action"),
        ({"os-extend": {"new_size": 3}}, "no such action: os-extend"),
        ({KEY: None}, "Expected"),
        ({KEY: {}}, "image_name"),
        ({KEY: {"image_name": ""}}, "image_name"),
        ({KEY: {"image_name": "x" * 256}}, "image_name"),
        ({KEY: {"image_name": "x", "force": "perhaps"}}, "force"),
        ({KEY: {"image_name": "x", "protected": 7}}, "protected"),
        ({KEY: {"image_name": "x", "disk_format": "vmdk"}}, "disk_format"),
        ({KEY: {"image_name": "x", "container_format": "ova"}}, "container_format"),
        ({KEY: {"image_name": "x", "visibility": "secret"}}, "visibility"),
    ],
)
def test_odd_bodies_are_a_400(world: World, volume_id: str, body: object, text: str) -> None:
    for version in ("v2", "v3"):
        with pytest.raises(Invalid) as caught:
            ask(world, volume_id, body, version)
        assert text in caught.value.message
    assert status(world, volume_id) == "available"


def test_only_an_administrator_publishes_and_nobody_reads_another_s(
    world: World, volume_id: str
) -> None:
    with pytest.raises(Forbidden, match="publish"):
        upload(world, volume_id, visibility="public")
    with pytest.raises(NotFound, match="Volume x could not be found"):
        upload(world, "x")
    endpoint = endpoint_of("POST", "/v3/{tenant}/volumes/{volume}/action")
    asked = {KEY: {"image_name": "for all", "visibility": "public"}}
    answer = endpoint.handler(by(ADMIN, world.call(asked, volume=volume_id)))
    assert answer.body[KEY]["visibility"] == "public"
