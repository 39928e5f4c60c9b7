"""What shelving keeps and frees; that each of its steps may fail is in the step harness."""

from __future__ import annotations

import pytest

from hanok.api._call import Call
from hanok.api.compute.actions.shelve import ACTION
from hanok.api.image.service import service as image_service
from hanok.model.errors import Conflict, HanokError
from hanok.operations import attach_volume
from hanok.store import ports, servers, volumes
from hanok.store.volumes import Attachment
from tests.operations.world import HOST, IMAGE, PROJECT, World, endpoint_of
from tests.store.volume_rows import a_volume

ATTACH = "/v2/{tenant}/servers/{server}/os-volume_attachments"


@pytest.fixture(params=[False, True], ids=["volume", "local"])
def local(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def server_id(world: World, local: bool) -> str:
    made = world.create(local=local)
    world.settle()
    return made


def test_the_guide_s_key() -> None:
    assert ACTION.key == "shelve"


def test_it_shows_a_task_and_its_old_status_and_then_rests(
    world: World, server_id: str, local: bool
) -> None:
    endpoint = endpoint_of("GET", "/v2/{tenant}/servers/{server}")
    before = endpoint.handler(world.call(server=server_id)).body["server"]
    world.engine.stop()
    world.act(server_id, "shelve")
    during = endpoint.handler(world.call(server=server_id)).body["server"]
    assert (during["status"], during["OS-EXT-STS:task_state"]) == ("ACTIVE", "shelving")
    world.close()
    world.open().start()
    world.settle()
    after = endpoint.handler(world.call(server=server_id)).body["server"]
    assert (after["status"], after["OS-EXT-STS:vm_state"]) == (
        "SHELVED_OFFLOADED",
        "shelved_offloaded",
    )
    assert (after["hostId"], after["OS-EXT-STS:power_state"]) == ("", 4)
    same = ("addresses", "OS-SRV-USG:launched_at", "os-extended-volumes:volumes_attached", "name")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    with world.store.read() as reader:
        (port,) = ports.of_server(reader, server_id)
        own = volumes.of_server(reader, server_id)
    assert (port.status, port.host_id, len(port.fixed_ips)) == ("DOWN", None, 1)
    assert [volume.status for _, volume in own] == ([] if local else ["reserved"])
    assert world.rows()["used"] == 0


def test_what_needs_a_host_is_refused_also_while_it_is_on_the_way(
    world: World, server_id: str
) -> None:
    attach = endpoint_of("POST", ATTACH)
    body = {"volumeAttachment": {"volumeId": IMAGE}}
    world.engine.stop()
    world.act(server_id, "shelve")
    with pytest.raises(Conflict, match=r"'attach_volume' instance .* in task_state shelving"):
        attach.handler(world.call(body, server=server_id))
    world.close()
    world.open().start()
    world.settle()
    with pytest.raises(Conflict, match=r"'attach_volume' .* in vm_state shelved_offloaded"):
        attach.handler(world.call(body, server=server_id))
    with pytest.raises(Conflict, match=r"'detach_volume' .* in vm_state shelved_offloaded"):
        endpoint_of("DELETE", f"{ATTACH}/{{volume}}").handler(
            world.call(server=server_id, volume=IMAGE)
        )
    for name, value in (
        ("shelve", None),
        ("os-start", None),
        ("os-stop", None),
        ("reboot", {"type": "HARD"}),
        ("resize", {"flavorRef": world.flavor(local=False, number=1)}),
        ("createImage", {"name": "x"}),
    ):
        with pytest.raises(Conflict, match="in vm_state shelved_offloaded"):
            world.act(server_id, name, value)
    for name in ("os-getConsoleOutput", "os-getVNCConsole"):
        with pytest.raises(HanokError, match="is not ready"):
            world.act(server_id, name, {"type": "novnc"})


def call_image(world: World, method: str, image_id: str) -> int:
    call: Call = world.call(image=image_id)
    for endpoint in image_service().endpoints:
        if (endpoint.method, endpoint.path) == (method, "/v2/images/{image}"):
            return int(endpoint.handler(call).status)
    raise KeyError(method)


@pytest.mark.parametrize("local", [True], indirect=True, ids=["local"])
def test_the_image_of_a_local_disk_is_the_project_s_own_and_stays_while_it_is_needed(
    world: World, server_id: str
) -> None:
    world.act(server_id, "shelve")
    world.settle()
    (image,) = world.own_images()
    assert (image.name, image.status, image.visibility) == ("web-shelved", "active", "private")
    assert (image.project_id, image.disk_format) == (PROJECT, "qcow2")
    assert image.properties == {
        "os_type": "linux",
        "instance_uuid": server_id,
        "image_type": "snapshot",
    }
    with pytest.raises(Conflict, match=f"holds the disk of instance {server_id}"):
        call_image(world, "DELETE", image.id)
    world.delete(server_id)
    world.settle()
    assert world.own_images() == []
    assert world.doomed_images() == [image.id]
    world.assert_nothing_is_left()


@pytest.mark.parametrize("local", [True], indirect=True, ids=["local"])
def test_a_name_that_leaves_no_room_is_cut(world: World, server_id: str) -> None:
    with world.store.write() as tx:
        servers.change(tx, server_id, world.clock.now(), {"name": "n" * 255})
    world.act(server_id, "shelve")
    world.settle()
    (image,) = world.own_images()
    assert image.name == "n" * 247 + "-shelved"


def test_a_volume_that_is_on_its_way_to_the_server_is_waited_for(
    world: World, server_id: str
) -> None:
    """Attaching shows no task: the shelving queues behind it and finds it attached."""
    volume = a_volume(
        1, project_id=PROJECT, status="attaching", host_id=HOST, availability_zone="kr-pub-a"
    )
    world.engine.stop()
    with world.store.write() as tx:
        volumes.add(tx, volume)
        volumes.attach(tx, Attachment(volume.id, server_id, "vdc", None, False, 1))
        attach_volume.submit(tx, world.engine, world.server(server_id), volume, "vdc")
    world.hosts.perform(
        HOST, "storage.create_disk", {"spec": {"disk_id": volume.id, "size_gib": 1}}, 5
    )
    world.act(server_id, "shelve")
    world.close()
    world.open().start()
    world.settle()
    with world.store.read() as reader:
        assert {v.status for _, v in volumes.of_server(reader, server_id)} == {"reserved"}
        assert volumes.find(reader, volume.id) is not None
    world.act(server_id, "unshelve")
    world.settle()
    with world.store.read() as reader:
        assert {v.status for _, v in volumes.of_server(reader, server_id)} == {"in-use"}
    assert world.server(server_id).vm_state == "active"
    disks = world.domain(server_id).disks
    assert [(disk.device, disk.boot_index) for disk in disks] == [("vda", 1), ("vdc", None)]
