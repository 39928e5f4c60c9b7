from __future__ import annotations

import json

from hanok.model.power import PowerState
from hanok.store import images
from tests.operations.world import PROJECT, World


def count(world: World) -> int:
    with world.store.read() as reader:
        return len(images.page(reader, images.Listing(PROJECT, 10)) or [])


def test_the_guest_is_held_still_only_while_its_disk_is_read(world: World) -> None:
    server_id = world.create(local=True)
    world.settle()
    seen: dict[str, PowerState] = {}

    def note(point: str) -> None:
        seen[point] = world.drivers.compute.power_state(server_id)

    world.failpoints.listen(note)
    world.act(server_id, "createImage", {"name": "copy"})
    world.settle()
    assert seen["create_image/export/do/start"] == PowerState.PAUSED
    assert seen["create_image/go_on/do/commit"] == PowerState.RUNNING


def test_a_delete_in_the_midst_leaves_no_image(world: World) -> None:
    server_id = world.create(local=True)
    world.settle()
    asked: list[str] = []

    def delete(point: str) -> None:
        if point == "create_image/export/do/effect" and not asked:
            asked.append(point)
            world.delete(server_id)

    world.failpoints.listen(delete)
    world.act(server_id, "createImage", {"name": "copy"})
    world.settle()
    assert asked
    assert world.server(server_id).vm_state == "deleted"
    assert count(world) == 1
    world.assert_nothing_is_left()


def test_a_disk_that_cannot_be_read_leaves_the_server_running_and_a_reason(world: World) -> None:
    server_id = world.create(local=True)
    world.settle()
    faults = world.folder / "world" / "faults.json"
    rule = {"verb": "storage.export_disk", "permanent": True, "message": "The disk is damaged."}
    faults.write_text(json.dumps({"failures": [rule]}))
    world.act(server_id, "createImage", {"name": "copy"})
    world.settle()
    assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
    server = world.server(server_id)
    assert server.fault is not None
    assert server.fault["message"] == "The disk is damaged. Failed step: copy the disk."
    assert count(world) == 1
