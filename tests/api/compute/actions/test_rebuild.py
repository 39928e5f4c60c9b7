from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hanok.api._call import Answer
from hanok.guest.config_drive import GuestConfig
from hanok.model.errors import Conflict, HanokError, HostError, Invalid, QuotaExceeded
from hanok.model.image import Image
from hanok.model.key_pair import KeyPair
from hanok.model.power import PowerState
from hanok.model.server import TaskState, VmState
from hanok.store import images, key_pairs, quotas, servers, volumes
from tests.operations.cases import large_request
from tests.operations.world import GIB, IMAGE, PROJECT, USER, World, endpoint_of, tiny_image

OTHER = "33333333-2222-4222-8222-222222222222"
KEY = "ssh-ed25519 AAAA other"


@pytest.fixture
def server_id(world: World) -> str:
    made = world.create()
    world.settle()
    return made


def rebuild(world: World, server_id: str, body: object = None) -> Answer:
    endpoint = endpoint_of("POST", "/v2/{tenant}/servers/{server}/action")
    asked = {"imageRef": OTHER} if body is None else body
    answer: Answer = endpoint.handler(world.call({"rebuild": asked}, server=server_id))
    return answer


def add_image(world: World, **values: Any) -> Image:
    properties = {"os_type": "linux", "os_distro": "other", "login_username": "me"}
    image = replace(tiny_image(world.clock.now()), id=OTHER, name="other", properties=properties)
    image = replace(image, **values)
    with world.store.write() as tx:
        images.add(tx, image)
    return image


def put(world: World, server_id: str, **values: Any) -> None:
    with world.store.write() as tx:
        servers.change(tx, server_id, world.clock.now(), values)


def told(guest: GuestConfig) -> GuestConfig:
    """What a guest is told, without what is drawn at random."""
    return replace(guest, admin_pass="", random_seed=b"")


def image_on_host(world: World, disk_id: str) -> str | None:
    """The image that a disk on the simulated host was made from."""
    from hanok.drivers.simulated.records import WorldFiles

    record = WorldFiles(world.folder / "world").disks.get(disk_id)
    assert record is not None
    return record.image_id


@pytest.mark.parametrize("local", [False, True])
def test_the_root_disk_is_another_and_all_else_the_same(world: World, local: bool) -> None:
    server_id = world.create(local=local, **({} if local else large_request(world)))
    world.settle()
    before = world.domain(server_id)
    root = before.disks[0].disk.disk_id
    add_image(world)
    answer = rebuild(world, server_id)
    assert world.server(server_id).task_state == TaskState.REBUILDING
    world.settle()
    now = world.domain(server_id)
    assert (now.disks, now.ports) == (before.disks, before.ports)
    assert image_on_host(world, root) == OTHER
    assert now.guest.admin_pass == answer.body["server"]["adminPass"]
    assert now.guest.random_seed != before.guest.random_seed
    assert told(now.guest) == told(before.guest)
    server = world.server(server_id)
    assert (server.vm_state, server.power_state, server.image_id) == ("active", 1, OTHER)
    assert server.image_metadata["os_distro"] == "other"
    assert server.image_metadata["image_name"] == "other"
    assert world.reality()["disks"] == (1 if local else 2)
    assert world.rows()["local_disks"] == (1 if local else 0)
    with world.store.read() as reader:
        assert (images.disks_of(reader, IMAGE), images.disks_of(reader, OTHER)) == (0, 1)
        volume = volumes.find(reader, root)
    if volume is not None:
        assert (volume.image_id, volume.bootable, volume.status) == (OTHER, True, "in-use")
        assert volume.image_metadata["login_username"] == "me"


def test_the_answer_is_the_server_as_it_is_to_be(world: World, server_id: str) -> None:
    add_image(world)
    body = {
        "imageRef": OTHER,
        "name": " new ",
        "adminPass": "my secret",
        "metadata": {"a": "1"},
        "preserve_ephemeral": "yes",
        "personality": [],
    }
    answer = rebuild(world, server_id, body)
    shown = answer.body["server"]
    assert answer.status == 202
    assert (shown["status"], shown["name"], shown["image"]["id"]) == ("REBUILD", "new", OTHER)
    assert (shown["id"], shown["adminPass"]) == (server_id, "my secret")
    assert shown["metadata"]["a"] == "1"
    assert shown["metadata"]["os_distro"] == "other"
    assert answer.headers["Location"].endswith(f"/v2/{PROJECT}/servers/{server_id}")
    world.settle()
    guest = world.domain(server_id).guest
    assert (guest.name, guest.metadata, guest.admin_pass) == ("new", {"a": "1"}, "my secret")
    assert guest.hostname == "web", "a guest keeps its host name, as Nova has it"


def test_what_the_guest_is_told_can_be_another(world: World, server_id: str) -> None:
    with world.store.write() as tx:
        key_pairs.add(tx, KeyPair(0, USER, "other", KEY, "aa:bb", world.clock.now()))
    body = {"imageRef": IMAGE, "key_name": "other", "user_data": "IyEvYmluL3B5Cg=="}
    assert rebuild(world, server_id, body).body["server"]["key_name"] == "other"
    world.settle()
    guest = world.domain(server_id).guest
    assert guest.public_keys == {"other": KEY}
    assert guest.user_data == b"#!/bin/py\n"
    assert world.server(server_id).key_name == "other"
    rebuild(world, server_id, {"imageRef": IMAGE, "key_name": None, "user_data": None})
    world.settle()
    guest = world.domain(server_id).guest
    assert (guest.public_keys, guest.user_data) == ({}, None)
    assert world.server(server_id).key_name is None


def test_what_was_told_anew_is_what_a_later_domain_is_told(world: World, server_id: str) -> None:
    answer = rebuild(world, server_id, {"imageRef": IMAGE})
    world.settle()
    rebuilt = world.domain(server_id)
    for name, status in (("rescue", 200), ("unrescue", 202)):
        world.act(server_id, name, status=status)
        world.settle()
    assert world.domain(server_id) == rebuilt
    assert rebuilt.guest.admin_pass == answer.body["server"]["adminPass"]


def test_a_server_that_was_off_ends_off(world: World, server_id: str) -> None:
    world.act(server_id, "os-stop")
    world.settle()
    add_image(world)
    assert rebuild(world, server_id).body["server"]["status"] == "REBUILD"
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.power_state, server.image_id) == ("stopped", 4, OTHER)
    assert world.drivers.compute.power_state(server_id) == PowerState.SHUTDOWN
    world.assert_exactly_one()


def test_a_server_whose_domain_was_lost_is_made_whole(world: World, server_id: str) -> None:
    before = world.domain(server_id)
    world.drivers.compute.delete(server_id)
    put(world, server_id, vm_state=VmState.ERROR)
    rebuild(world, server_id, {"imageRef": IMAGE})
    world.settle()
    assert world.server(server_id).vm_state == VmState.ACTIVE
    assert world.domain(server_id).disks == before.disks
    world.assert_exactly_one()


def test_what_a_lost_rescue_left_is_taken_away(world: World, server_id: str) -> None:
    world.act(server_id, "rescue", status=200)
    world.settle()
    put(world, server_id, vm_state=VmState.ERROR)
    rebuild(world, server_id, {"imageRef": IMAGE})
    world.settle()
    assert world.server(server_id).rescued is None
    world.assert_exactly_one()


@pytest.mark.parametrize("state", [VmState.PAUSED, VmState.SUSPENDED, VmState.RESCUED])
def test_no_other_state_allows_it(world: World, server_id: str, state: VmState) -> None:
    put(world, server_id, vm_state=state)
    with pytest.raises(Conflict, match=r"Cannot 'rebuild' instance .* in vm_state"):
        rebuild(world, server_id, {"imageRef": IMAGE})


def test_what_has_never_run_cannot_be_rebuilt(world: World, server_id: str) -> None:
    put(world, server_id, vm_state=VmState.ERROR, launched_at=None)
    with pytest.raises(Conflict, match="is in an invalid state for 'rebuild'"):
        rebuild(world, server_id, {"imageRef": IMAGE})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "imageRef"),
        ([], "Invalid input for field/attribute rebuild. Expected 'object'"),
        ({"imageRef": ""}, "imageRef"),
        ({"imageRef": OTHER}, "Can not find requested image"),
        ({"imageRef": IMAGE, "name": " "}, "name"),
        ({"imageRef": IMAGE, "adminPass": ""}, "adminPass"),
        ({"imageRef": IMAGE, "metadata": {"": "x"}}, "metadata"),
        ({"imageRef": IMAGE, "key_name": "nobody's"}, "Invalid key_name provided."),
        ({"imageRef": IMAGE, "user_data": "?"}, "base 64"),
        ({"imageRef": IMAGE, "preserve_ephemeral": "maybe"}, "preserve_ephemeral"),
    ],
)
def test_odd_bodies_are_a_400(world: World, server_id: str, body: object, text: str) -> None:
    before = world.server(server_id)
    with pytest.raises(Invalid, match=text):
        rebuild(world, server_id, body)
    assert world.server(server_id) == before


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"status": "queued"}, "is not active"),
        ({"min_ram_mib": 1 << 20}, "memory is too small"),
        ({"virtual_bytes": 11 * GIB}, "smaller than the 11 GB"),
        ({"min_disk_gib": 12}, "smaller than the 12 GB"),
        ({"properties": {"os_type": "windows"}}, "Windows"),
    ],
)
def test_the_image_must_fit_as_for_a_new_server(
    world: World, server_id: str, values: dict[str, Any], text: str
) -> None:
    add_image(world, **values)
    with pytest.raises(HanokError, match=text):
        rebuild(world, server_id)
    assert world.server(server_id).task_state is None


def test_no_more_metadata_than_the_quota_allows(world: World, server_id: str) -> None:
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"metadata_items": 1})
    with pytest.raises(QuotaExceeded):
        rebuild(world, server_id, {"imageRef": IMAGE, "metadata": {"a": "1", "b": "2"}})


def failing_at(world: World, beginning: str) -> None:
    def fail(point: str) -> None:
        if point.startswith(f"rebuild_server/{beginning}") and point.endswith("/do/start"):
            raise HostError("told to fail", permanent=True)

    world.failpoints.listen(fail)


def test_until_the_disk_is_exchanged_nothing_is_lost(world: World, server_id: str) -> None:
    add_image(world)
    before = world.domain(server_id)
    for step in ("made:", "look:", "wait_until_off"):
        failing_at(world, step)
        rebuild(world, server_id)
        world.settle()
        server = world.server(server_id)
        assert (server.vm_state, server.image_id) == ("active", IMAGE), step
        assert server.fault is not None
        assert world.domain(server_id) == before
        assert image_on_host(world, before.disks[0].disk.disk_id) == IMAGE
        assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
        world.assert_exactly_one()


def test_an_image_that_goes_meanwhile_changes_nothing(world: World, server_id: str) -> None:
    add_image(world)
    before = world.domain(server_id)

    def doom(point: str) -> None:
        if point.startswith("rebuild_server/note:") and point.endswith("/do/start"):
            with world.store.write() as tx:
                assert images.doom(tx, OTHER, 1)

    world.failpoints.listen(doom)
    rebuild(world, server_id)
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.image_id) == ("active", IMAGE)
    assert server.fault is not None
    missing = f"Image {OTHER} could not be found. Failed step: note the disk."
    assert server.fault["message"] == missing
    assert world.domain(server_id) == before
    world.assert_exactly_one()


def test_a_rebuild_that_cannot_start_the_guest_says_what_it_has(
    world: World, server_id: str
) -> None:
    add_image(world)
    failing_at(world, "switch_on")
    rebuild(world, server_id)
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.power_state, server.image_id) == ("error", 4, OTHER)
    assert server.fault is not None
    assert server.fault["message"] == "told to fail. Failed step: start the domain."
    assert image_on_host(world, world.domain(server_id).disks[0].disk.disk_id) == OTHER
    world.failpoints.listen(lambda _point: None)
    world.act(server_id, "reboot", {"type": "HARD"})
    world.settle()
    assert world.server(server_id).vm_state == VmState.ACTIVE
    world.assert_exactly_one()
