"""What a detachment takes away, and that one that fails leaves the volume as it was."""

from __future__ import annotations

import pytest

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


@pytest.fixture
def attached(world: World) -> tuple[str, str]:
    """A server and a volume that is attached to it."""
    server_id, volume_id = a_server(world), a_volume(world)
    attach(world, server_id, volume_id)
    world.settle()
    assert volume(world, volume_id).status == "in-use"
    return server_id, volume_id


def test_the_domain_lets_go_and_the_disk_stays(world: World, attached: tuple[str, str]) -> None:
    server_id, volume_id = attached
    detach(world, server_id, volume_id)
    world.settle()
    assert len(world.domain(server_id).disks) == 1
    assert attachments(world, server_id) == []
    assert (volume(world, volume_id).status, world.reality()["disks"]) == ("available", 2)
    assert events(world, server_id)[-1] == ("detached", {"volume": volume_id})
    world.block_storage("DELETE", "volumes/{volume}", volume=volume_id)
    world.settle()
    assert world.reality()["disks"] == 1


def test_a_stopped_server_lets_go_too(world: World, attached: tuple[str, str]) -> None:
    server_id, volume_id = attached
    world.act(server_id, "os-stop")
    world.settle()
    detach(world, server_id, volume_id)
    world.settle()
    assert volume(world, volume_id).status == "available"
    assert world.server(server_id).vm_state == "stopped"


def test_a_guest_that_does_not_let_go_at_first_is_asked_again(
    world: World, attached: tuple[str, str]
) -> None:
    server_id, volume_id = attached
    busy = {"verb": "compute.detach_disk", "times": 5, "message": "The guest holds on."}
    with world.misbehaving(failures=[busy]):
        detach(world, server_id, volume_id)
        world.settle()
    assert volume(world, volume_id).status == "available"
    assert len(world.domain(server_id).disks) == 1


def test_one_that_never_lets_go_keeps_the_volume_and_it_is_said(
    world: World, attached: tuple[str, str]
) -> None:
    server_id, volume_id = attached
    with world.misbehaving(failures=refuses("compute.detach_disk", "The guest holds on.")):
        detach(world, server_id, volume_id)
        world.settle()
    assert volume(world, volume_id).status == "in-use"
    assert [one.volume_id for one in attachments(world, server_id)] == [volume_id]
    assert len(world.domain(server_id).disks) == 2
    detail = {"volume": volume_id, "message": "The guest holds on."}
    assert events(world, server_id)[-1] == ("not detached", detail)
    detach(world, server_id, volume_id)
    world.settle()
    assert volume(world, volume_id).status == "available"


def test_a_server_that_is_deleted_meanwhile_gives_the_volume_back(
    world: World, attached: tuple[str, str]
) -> None:
    server_id, volume_id = attached
    world.engine.stop()
    detach(world, server_id, volume_id)
    assert volume(world, volume_id).status == "detaching"
    world.delete(server_id)
    world.reopen()
    world.settle()
    assert volume(world, volume_id).status == "available"
    assert world.reality() == {"domains": 0, "disks": 1, "ports": 0, "networks": 0}


def test_a_hard_reboot_that_overtakes_it_leaves_the_volume_to_be_detached_again(
    world: World, attached: tuple[str, str]
) -> None:
    server_id, volume_id = attached
    world.engine.stop()
    detach(world, server_id, volume_id)
    world.act(server_id, "reboot", {"type": "HARD"})
    world.reopen()
    world.settle()
    assert volume(world, volume_id).status == "in-use"
    detach(world, server_id, volume_id)
    world.settle()
    assert volume(world, volume_id).status == "available"
