from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hanok.api._call import Answer
from hanok.model.errors import Conflict, HanokError, HostError, Invalid
from hanok.model.image import Image
from hanok.model.server import TaskState, VmState
from hanok.store import images, servers
from tests.operations.cases import large_request
from tests.operations.world import IMAGE, World, endpoint_of, tiny_image

OTHER = "33333333-2222-4222-8222-222222222222"


@pytest.fixture
def server_id(world: World) -> str:
    made = world.create()
    world.settle()
    return made


def rescue(world: World, server_id: str, body: object = None) -> Answer:
    endpoint = endpoint_of("POST", "/v2/{tenant}/servers/{server}/action")
    answer: Answer = endpoint.handler(world.call({"rescue": body}, server=server_id))
    return answer


def add_image(world: World, **values: Any) -> Image:
    image = replace(tiny_image(world.clock.now()), id=OTHER, name="other", **values)
    with world.store.write() as tx:
        images.add(tx, image)
    return image


def put(world: World, server_id: str, **values: Any) -> None:
    with world.store.write() as tx:
        servers.change(tx, server_id, world.clock.now(), values)


@pytest.mark.parametrize("local", [False, True])
def test_the_guest_boots_from_a_new_disk_with_its_own_disks_behind(
    world: World, local: bool
) -> None:
    more = {} if local else large_request(world)
    server_id = world.create(local=local, **more)
    world.settle()
    own = world.domain(server_id)
    answer = rescue(world, server_id)
    assert answer.status == 200
    password = answer.body["adminPass"]
    assert len(password) == 12
    assert world.server(server_id).task_state == TaskState.RESCUING
    world.settle()
    now = world.domain(server_id)
    rescue_disk, *behind = now.disks
    assert (rescue_disk.device, rescue_disk.boot_index, rescue_disk.disk.size_gib) == ("vda", 1, 1)
    assert [disk.disk for disk in behind] == [disk.disk for disk in own.disks]
    assert [disk.serial for disk in behind] == [disk.serial for disk in own.disks]
    assert [disk.device for disk in behind] == ["vdb", "vdc"][: len(own.disks)]
    assert {disk.boot_index for disk in behind} == {None}
    assert now.ports == own.ports
    assert now.guest == replace(own.guest, admin_pass=password)


def test_a_password_and_an_image_can_be_asked_for(world: World, server_id: str) -> None:
    add_image(world, min_disk_gib=3, disk_format="qcow2")
    body = {"adminPass": "my secret", "rescue_image_ref": OTHER}
    assert rescue(world, server_id, body).body == {"adminPass": "my secret"}
    world.settle()
    domain = world.domain(server_id)
    assert domain.guest.admin_pass == "my secret"
    assert domain.disks[0].disk.size_gib == 3
    server = world.server(server_id)
    assert server.rescued is not None
    assert server.rescued["image_id"] == OTHER
    assert server.image_id == IMAGE, "it is the server's own image that its view shows"
    with world.store.read() as reader:
        assert images.disks_of(reader, OTHER) == 1, "the image is in use"


@pytest.mark.parametrize("state", [VmState.STOPPED, VmState.ERROR])
def test_what_is_off_or_in_error_is_rescued_too(
    world: World, server_id: str, state: VmState
) -> None:
    world.act(server_id, "os-stop")
    world.settle()
    put(world, server_id, vm_state=state)
    rescue(world, server_id, {})
    world.settle()
    server = world.server(server_id)
    assert server.vm_state == VmState.RESCUED
    assert server.rescued is not None
    assert server.rescued["before"] == state


@pytest.mark.parametrize("state", [VmState.PAUSED, VmState.SUSPENDED, VmState.RESCUED])
def test_no_other_state_allows_it(world: World, server_id: str, state: VmState) -> None:
    put(world, server_id, vm_state=state)
    with pytest.raises(Conflict, match=r"Cannot 'rescue' instance .* in vm_state"):
        rescue(world, server_id)


def test_what_has_never_run_cannot_be_rescued(world: World) -> None:
    server_id = world.create(availability_zone="kr-pub-a")
    put(world, server_id, vm_state=VmState.ERROR, task_state=None)
    with pytest.raises(Conflict, match="is in an invalid state for 'rescue'"):
        rescue(world, server_id)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("now", "Invalid input for field/attribute rescue. Expected 'object'"),
        ({"adminPass": ""}, "adminPass"),
        ({"adminPass": 7}, "adminPass"),
        ({"rescue_image_ref": OTHER}, "cannot be rescued: Image"),
    ],
)
def test_odd_bodies_are_a_400(world: World, server_id: str, body: object, text: str) -> None:
    with pytest.raises(Invalid, match=text):
        rescue(world, server_id, body)
    assert world.server(server_id).task_state is None


@pytest.mark.parametrize("values", [{"status": "queued"}, {"min_ram_mib": 1 << 20}])
def test_the_image_must_fit(world: World, server_id: str, values: dict[str, Any]) -> None:
    add_image(world, **values)
    with pytest.raises(Invalid, match=r"cannot be rescued: Image .* (not active|needs)"):
        rescue(world, server_id, {"rescue_image_ref": OTHER})


def test_a_disk_that_cannot_be_made_leaves_the_guest_alone(world: World, server_id: str) -> None:
    """It is made before anything is taken off."""
    before = world.domain(server_id), world.server(server_id).launched_at
    calls = []

    def fail(point: str) -> None:
        calls.append(point)
        if point.startswith("rescue_server/make:") and point.endswith("/do/start"):
            raise HostError("The image is not there.", permanent=True)

    world.failpoints.listen(fail)
    rescue(world, server_id)
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.task_state) == ("active", None)
    assert server.fault is not None
    assert server.fault["message"] == "The image is not there. Failed step: make the disk."
    assert (world.domain(server_id), server.launched_at) == before
    assert not any(point.startswith("rescue_server/ask/") for point in calls)
    world.assert_exactly_one()


def test_a_second_rescue_after_a_lost_state_leaves_one_rescue_disk(
    world: World, server_id: str
) -> None:
    rescue(world, server_id)
    world.settle()
    first = world.server(server_id).rescued
    put(world, server_id, vm_state=VmState.ERROR)
    rescue(world, server_id)
    world.settle()
    second = world.server(server_id).rescued
    assert first is not None
    assert second is not None
    assert first["disk_id"] != second["disk_id"]
    assert world.reality()["disks"] == 2
    assert world.rows()["local_disks"] == 1


def test_while_it_is_rescued_its_disks_stay(world: World, server_id: str) -> None:
    rescue(world, server_id)
    endpoint = endpoint_of("POST", "/v2/{tenant}/servers/{server}/os-volume_attachments")
    body = {"volumeAttachment": {"volumeId": OTHER}}
    with pytest.raises(HanokError, match="task_state rescuing"):
        endpoint.handler(world.call(body, server=server_id))
    world.settle()
    with pytest.raises(HanokError, match="vm_state rescued"):
        endpoint.handler(world.call(body, server=server_id))


def test_delete_leaves_nothing(world: World, server_id: str) -> None:
    rescue(world, server_id)
    world.settle()
    world.delete(server_id)
    world.settle()
    world.assert_nothing_is_left()
    assert world.server(server_id).rescued is None
