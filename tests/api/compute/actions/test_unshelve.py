"""A server comes back as it was; that each step may fail is in the step harness."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hanok.api.compute.actions.unshelve import ACTION
from hanok.api.image.recovery import erase_doomed
from hanok.model.errors import Conflict, Invalid
from hanok.store import hosts, ports, servers
from tests.operations.world import HOST, World

Shelved = Callable[[bool], str]


@pytest.fixture
def shelved(world: World) -> Shelved:
    """Make a server and shelve it."""

    def make(local: bool) -> str:
        server_id = world.create(local=local)
        world.settle()
        world.act(server_id, "shelve")
        world.settle()
        assert world.server(server_id).vm_state == "shelved_offloaded"
        return server_id

    return make


def test_the_guide_s_key() -> None:
    assert ACTION.key == "unshelve"


@pytest.mark.parametrize("local", [False, True], ids=["volume", "local"])
def test_what_comes_back_is_what_was_shelved(world: World, local: bool) -> None:
    server_id = world.create(local=local, metadata={"a": "1"})
    world.settle()
    before, used = world.domain(server_id), world.rows()["used"]
    launched = world.server(server_id).launched_at
    for _ in range(2):
        world.act(server_id, "shelve")
        world.settle()
        world.act(server_id, "unshelve")
        world.settle()
        assert world.domain(server_id) == before
        assert world.rows()["used"] == used
        world.assert_exactly_one(local=local)
    server = world.server(server_id)
    assert launched is not None
    assert server.launched_at is not None
    assert server.launched_at > launched, "it was started again (Nova: when it is spawned)"
    with world.store.read() as reader:
        (port,) = ports.of_server(reader, server_id)
        events = [event.name for event in servers.events(reader, server_id)]
    assert (port.status, port.host_id) == ("ACTIVE", HOST)
    assert events == ["created", *(["now shelved_offloaded", "now active"] * 2)]


def test_its_new_name_and_metadata_are_what_the_guest_is_told(
    world: World, shelved: Shelved
) -> None:
    server_id = shelved(False)
    with world.store.write() as tx:
        values = {"name": "renamed", "metadata": {"b": "2"}}
        servers.change(tx, server_id, world.clock.now(), values)
    world.act(server_id, "unshelve")
    world.settle()
    spec = world.domain(server_id)
    assert (spec.name, spec.guest.metadata) == ("renamed", {"b": "2"})
    assert spec.guest.user_data == b"#!/bin/sh\n"


def test_the_image_of_its_disk_goes_when_it_is_back(world: World, shelved: Shelved) -> None:
    server_id = shelved(True)
    (image,) = world.own_images()
    stored = world.images.add(image.id, [bytes(1 << 20)], "raw")
    world.act(server_id, "unshelve")
    world.settle()
    assert world.own_images() == []
    assert [one.image_id for one in world.images.list_images()] == [stored.image_id]
    erase_doomed(world.region)
    assert world.images.list_images() == []
    assert world.doomed_images() == []


def test_an_image_that_others_were_made_from_stays(world: World, shelved: Shelved) -> None:
    server_id = shelved(True)
    (image,) = world.own_images()
    world.create(local=True, imageRef=image.id)
    world.settle()
    world.act(server_id, "unshelve")
    world.settle()
    assert [one.id for one in world.own_images()] == [image.id]
    assert world.doomed_images() == []


def test_it_goes_to_its_block_storage_or_nowhere_and_can_be_asked_again(
    world: World, shelved: Shelved
) -> None:
    server_id = shelved(False)
    with world.store.write() as tx:
        hosts.set_state(tx, HOST, "down", 1)
    world.act(server_id, "unshelve")
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.task_state, server.host_id) == (
        "shelved_offloaded",
        None,
        None,
    )
    assert server.fault is not None
    assert "up dropped 1" in server.fault["message"]
    with world.store.write() as tx:
        hosts.set_state(tx, HOST, "up", 2)
    world.act(server_id, "unshelve")
    world.settle()
    assert world.server(server_id).vm_state == "active"
    world.assert_exactly_one()


def test_a_start_that_fails_leaves_it_shelved_and_its_disk_kept(
    world: World, shelved: Shelved
) -> None:
    server_id = shelved(True)
    faults = world.folder / "world" / "faults.json"
    rule = {"verb": "compute.start", "permanent": True, "message": "No memory."}
    faults.write_text(json.dumps({"failures": [rule]}))
    world.act(server_id, "unshelve")
    world.settle()
    server = world.server(server_id)
    assert server.vm_state == "shelved_offloaded"
    assert server.fault is not None
    assert server.fault["message"] == "No memory. Failed step: start the domain."
    assert world.reality() == {"domains": 0, "disks": 0, "ports": 0, "networks": 0}
    assert [image.status for image in world.own_images()] == ["active"]
    faults.unlink()
    world.act(server_id, "unshelve")
    world.settle()
    world.assert_exactly_one(local=True)


def test_the_zone_that_terraform_sends(world: World, shelved: Shelved) -> None:
    server_id = shelved(True)
    here = world.server(server_id).availability_zone
    (other,) = {"kr-pub-a", "kr-pub-b"} - {here}
    for wanted, text in (("mars", "is not available"), (7, "names a zone")):
        with pytest.raises(Invalid, match=text):
            world.act(server_id, "unshelve", {"availability_zone": wanted})
    world.act(server_id, "unshelve", {"availability_zone": other})
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.availability_zone) == ("active", other)
    assert world.domain(server_id).guest.availability_zone == other


def test_block_storage_keeps_its_server_in_its_zone(world: World, shelved: Shelved) -> None:
    server_id = shelved(False)
    here = world.server(server_id).availability_zone
    (other,) = {"kr-pub-a", "kr-pub-b"} - {here}
    with pytest.raises(Invalid, match="can be unshelved only there"):
        world.act(server_id, "unshelve", {"availability_zone": other})
    assert world.server(server_id).task_state is None
    world.act(server_id, "unshelve", {"availability_zone": here})
    world.settle()
    assert world.server(server_id).vm_state == "active"


def test_a_server_that_is_not_shelved_is_a_409(world: World) -> None:
    server_id = world.create()
    world.settle()
    with pytest.raises(Conflict, match=r"'unshelve' instance .* in vm_state active"):
        world.act(server_id, "unshelve")


@pytest.mark.parametrize("local", [False, True], ids=["volume", "local"])
def test_deleting_what_is_shelved_leaves_nothing(
    world: World, shelved: Shelved, local: bool
) -> None:
    server_id = shelved(local)
    world.delete(server_id)
    world.settle()
    assert world.server(server_id).shelved is None
    assert world.own_images() == []
    world.assert_nothing_is_left()
