"""What an attachment changes on the host and on record, and that a failed one takes all back."""

from __future__ import annotations

import pytest

from hanok.store import journal
from tests.operations.volumes_made import (
    a_server,
    a_volume,
    attach,
    attachments,
    detach,
    events,
    refuses,
    volume,
)
from tests.operations.world import World


def test_the_domain_has_the_disk_under_its_device_and_serial(world: World) -> None:
    server_id, volume_id = a_server(world), a_volume(world)
    attach(world, server_id, volume_id)
    world.settle()
    _, disk = world.domain(server_id).disks
    assert (disk.disk.disk_id, disk.device, disk.serial) == (volume_id, "vdb", volume_id[:20])
    assert disk.boot_index is None
    assert volume(world, volume_id).status == "in-use"
    assert events(world, server_id)[-1] == ("attached", {"volume": volume_id})


def test_until_it_is_done_the_volume_is_attaching(world: World) -> None:
    server_id, volume_id = a_server(world), a_volume(world)
    world.engine.stop()
    attach(world, server_id, volume_id)
    assert volume(world, volume_id).status == "attaching"
    assert [one.device for one in attachments(world, server_id)] == ["vdb"]


@pytest.mark.parametrize("verb", ["storage.describe_disk", "compute.attach_disk"])
def test_a_failure_makes_the_volume_available_again_and_says_why(world: World, verb: str) -> None:
    server_id, volume_id = a_server(world), a_volume(world)
    with world.misbehaving(failures=refuses(verb)):
        attach(world, server_id, volume_id)
        world.settle()
    assert volume(world, volume_id).status == "available"
    assert attachments(world, server_id) == []
    assert len(world.domain(server_id).disks) == 1
    detail = {"volume": volume_id, "message": "The host will not."}
    assert events(world, server_id)[-1] == ("not attached", detail)
    assert world.server(server_id).vm_state == "active"
    attach(world, server_id, volume_id)
    world.settle()
    assert volume(world, volume_id).status == "in-use"


def test_a_disk_whose_attaching_was_not_answered_is_attached_once(world: World) -> None:
    server_id, volume_id = a_server(world), a_volume(world)
    lost = {"verb": "compute.attach_disk", "nth": 1, "outcome": "answer_lost"}
    with world.misbehaving(failures=[lost]):
        attach(world, server_id, volume_id)
        world.settle()
    assert volume(world, volume_id).status == "in-use"
    assert len(world.domain(server_id).disks) == 2


def test_it_is_alone_on_the_server_and_on_the_volume(world: World) -> None:
    server_id, volume_id = a_server(world), a_volume(world)
    world.engine.stop()
    attach(world, server_id, volume_id)
    with world.store.read() as reader:
        operation = journal.of_server(reader, server_id)[-1]
    assert operation.kind == "attach_volume@1"
    assert world.rows()["operation_subjects"] == 2


def test_a_server_that_is_deleted_meanwhile_gives_the_volume_back(world: World) -> None:
    server_id, volume_id = a_server(world), a_volume(world)
    world.engine.stop()
    attach(world, server_id, volume_id)
    world.delete(server_id)
    world.reopen()
    world.settle()
    assert volume(world, volume_id).status == "available"
    assert world.reality() == {"domains": 0, "disks": 1, "ports": 0, "networks": 0}
    assert world.rows()["volume_attachments"] == 0


def test_fault_41_one_that_cannot_be_taken_back_is_nobody_else_s_until_it_is_detached(
    world: World,
) -> None:
    server_id, volume_id = a_server(world), a_volume(world)
    lost = {"verb": "compute.attach_disk", "outcome": "answer_lost", "message": "No answer."}
    with world.misbehaving(failures=[lost, *refuses("compute.detach_disk", "It holds on.")]):
        attach(world, server_id, volume_id)
        world.settle()
    assert world.last_operation(server_id).state == "stuck"
    assert len(world.domain(server_id).disks) == 2
    assert volume(world, volume_id).status == "in-use"
    assert [one.volume_id for one in attachments(world, server_id)] == [volume_id]
    detach(world, server_id, volume_id)
    world.settle()
    assert len(world.domain(server_id).disks) == 1
    assert volume(world, volume_id).status == "available"
