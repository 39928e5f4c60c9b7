from __future__ import annotations

import pytest

from hanok.model.errors import Conflict, Invalid, QuotaExceeded
from hanok.model.image import Image
from hanok.store import images, quotas
from tests.operations.world import GIB, IMAGE, PROJECT, World

KEY = "createImage"


@pytest.fixture
def server_id(world: World) -> str:
    made = world.create(local=True)
    world.settle()
    return made


def image(world: World, image_id: str) -> Image:
    with world.store.read() as reader:
        found = images.get(reader, image_id, PROJECT)
    assert found is not None
    return found


def count(world: World) -> int:
    with world.store.read() as reader:
        return len(images.page(reader, images.Listing(PROJECT, 10)) or [])


def test_location_names_an_image_that_another_server_starts_from(
    world: World, server_id: str
) -> None:
    asked = {"name": " copy ", "metadata": {"kept": "yes", "os_type": "linux"}}
    answer = world.ask(server_id, KEY, asked)
    assert (answer.status, answer.body) == (202, None)
    root, _, image_id = answer.headers["Location"].rpartition("/")
    assert root == "http://test/kr1/image/v2/images"
    assert world.server(server_id).task_state == "image_snapshot"
    assert image(world, image_id).status == "queued"
    world.settle()
    made = image(world, image_id)
    assert made.name == "copy"
    assert (made.status, made.visibility, made.disk_format) == ("active", "private", "qcow2")
    assert (made.min_disk_gib, made.virtual_bytes) == (20, 20 * GIB)
    assert made.properties == {
        "os_type": "linux",
        "kept": "yes",
        "instance_uuid": server_id,
        "image_type": "snapshot",
    }
    assert world.server(server_id).task_state is None
    second = world.create(local=True, imageRef=image_id)
    world.settle()
    assert world.server(second).vm_state == "active"


@pytest.mark.parametrize("state", ["os-stop", "pause", "suspend"])
def test_a_server_that_does_not_run_stays_as_it_is(
    world: World, server_id: str, state: str
) -> None:
    world.act(server_id, state)
    world.settle()
    before = world.server(server_id)
    world.act(server_id, KEY, {"name": "copy"})
    world.settle()
    after = world.server(server_id)
    assert (after.vm_state, after.power_state) == (before.vm_state, before.power_state)
    assert world.drivers.compute.power_state(server_id) == after.power_state
    assert count(world) == 2


def test_a_server_on_block_storage_is_told_where_its_images_are_made(world: World) -> None:
    server_id = world.create()
    world.settle()
    with pytest.raises(Invalid, match="os-volume_upload_image"):
        world.ask(server_id, KEY, {"name": "copy"})
    assert world.server(server_id).task_state is None
    assert count(world) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "createImage. Expected 'object', got 'null'."),
        ({}, "createImage. Object missing required field 'name'."),
        ({"name": ""}, "name. Value: . '' is too short"),
        ({"name": "  "}, "name. Value: . '' is too short"),
        ({"name": "x" * 256}, "createImage.name. Expected 'str' of length <= 255."),
        ({"name": 7}, "createImage.name. Expected 'str', got 'int'."),
        ({"name": "copy", "metadata": {"a": 1}}, r"createImage.metadata\[...\]. Expected 'str'"),
        ({"name": "copy", "metadata": {"": "v"}}, r"metadata. Keys have 1 to 255 .*'' does not"),
        ({"name": "copy", "metadata": {"k": "v" * 256}}, r"metadata. .* values at most 255"),
        ({"name": "copy", "metadata": []}, "createImage.metadata. Expected 'object | null'"),
    ],
)
def test_odd_bodies_are_a_400(world: World, server_id: str, body: object, said: str) -> None:
    with pytest.raises(Invalid, match=f"^Invalid input for field/attribute {said}"):
        world.ask(server_id, KEY, body)
    assert count(world) == 1


def test_an_image_has_as_many_metadata_as_the_quota_allows(world: World, server_id: str) -> None:
    many = {f"k{number}": "v" for number in range(129)}
    with pytest.raises(QuotaExceeded, match="Image metadata limit exceeded"):
        world.ask(server_id, KEY, {"name": "copy", "metadata": many})
    assert count(world) == 1
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"metadata_items": -1})
    world.act(server_id, KEY, {"name": "copy", "metadata": many})
    world.settle()
    assert count(world) == 2


def test_an_image_that_is_being_made_is_in_hand_and_a_second_waits_its_turn(
    world: World, server_id: str
) -> None:
    world.act(server_id, KEY, {"name": "copy"})
    with pytest.raises(Conflict, match=r"Cannot 'createImage' .* task_state image_snapshot"):
        world.ask(server_id, KEY, {"name": "another"})
    world.settle()
    assert count(world) == 2
    assert image(world, IMAGE).status == "active"
