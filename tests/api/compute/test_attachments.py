from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hanok.model.errors import Conflict, Invalid, NotFound
from tests.operations.world import IMAGE, World, endpoint_of

ALL = "/v2/{tenant}/servers/{server}/os-volume_attachments"
ONE = ALL + "/{volume}"
NONE = "00000000-0000-0000-0000-000000000000"


def send(world: World, method: str, path: str, query: str = "", **params: str) -> Any:
    return endpoint_of(method, path).handler(world.call(query=query, **params))


def test_the_root_volume_is_in_the_list(world: World) -> None:
    server_id = world.create()
    world.settle()
    [one] = send(world, "GET", ALL, server=server_id).body["volumeAttachments"]
    assert one == {
        "id": one["volumeId"],
        "device": "/dev/vda",
        "serverId": server_id,
        "volumeId": one["volumeId"],
    }
    shown = send(world, "GET", ONE, server=server_id, volume=one["volumeId"]).body
    assert shown == {"volumeAttachment": one}
    for query, count in (("limit=0", 1), ("limit=5", 1), ("offset=1", 0), ("offset=0&limit=1", 1)):
        listed = send(world, "GET", ALL, query, server=server_id).body["volumeAttachments"]
        assert len(listed) == count, query


def test_what_is_odd_is_refused(world: World) -> None:
    server_id = world.create(local=True)
    world.settle()
    assert send(world, "GET", ALL, server=server_id).body == {"volumeAttachments": []}
    with pytest.raises(NotFound, match="is not attached to volume x"):
        send(world, "GET", ONE, server=server_id, volume="x")
    with pytest.raises(NotFound):
        send(world, "GET", ALL, server="x")
    with pytest.raises(Invalid):
        send(world, "GET", ALL, "offset=-1", server=server_id)


def volume(world: World, size: int = 1) -> str:
    from hanok.api.volume.service import service

    for endpoint in service().endpoints:
        if (endpoint.method, endpoint.path) == ("POST", "/v2/{tenant}/volumes"):
            made = endpoint.handler(world.call({"volume": {"size": size}}))
            return str(made.body["volume"]["id"])
    raise KeyError("volumes")


def attach(world: World, server_id: str, volume_id: str, **more: Any) -> Any:
    body = {"volumeAttachment": {"volumeId": volume_id, **more}}
    return endpoint_of("POST", ALL).handler(world.call(body, server=server_id))


@pytest.fixture
def zoned(world: World) -> str:
    """A server in the zone that volumes are made in."""
    server_id = world.create(availability_zone="kr-pub-a")
    world.settle()
    return server_id


def test_a_volume_is_attached_and_detached_for_real(world: World, zoned: str) -> None:
    data = volume(world)
    world.settle()
    answer = attach(world, zoned, data, device=None)
    assert answer.status == 200
    assert answer.body["volumeAttachment"] == {
        "id": data,
        "volumeId": data,
        "serverId": zoned,
        "device": "/dev/vdb",
    }
    world.settle()
    assert [v["device"] for v in listed(world, zoned)] == ["/dev/vda", "/dev/vdb"]
    assert status(world, data) == "in-use"
    assert send(world, "DELETE", ONE, server=zoned, volume=data).status == 202
    world.settle()
    assert [v["device"] for v in listed(world, zoned)] == ["/dev/vda"]
    assert status(world, data) == "available"


def listed(world: World, server_id: str) -> list[dict[str, Any]]:
    return list(send(world, "GET", ALL, server=server_id).body["volumeAttachments"])


def status(world: World, volume_id: str) -> str:
    from hanok.store import volumes

    with world.store.read() as reader:
        found = volumes.find(reader, volume_id)
    assert found is not None
    return found.status


def test_ten_at_once_get_ten_devices(each_database_url: str, tmp_path: Path) -> None:
    world = World(each_database_url, tmp_path).open().start()
    server_id = world.create(availability_zone="kr-pub-a")
    made = [volume(world) for _ in range(10)]
    world.settle()
    gate = threading.Barrier(len(made))

    def ask(data: str) -> str:
        gate.wait(5)
        return str(attach(world, server_id, data).body["volumeAttachment"]["device"])

    with ThreadPoolExecutor(len(made)) as pool:
        given = list(pool.map(ask, made))
    assert sorted(given) == [f"/dev/vd{letter}" for letter in "bcdefghijk"]
    world.settle()
    assert {status(world, one) for one in made} == {"in-use"}
    world.delete(server_id)
    world.settle()
    assert {status(world, one) for one in made} == {"available"}
    assert world.reality() == {"domains": 0, "disks": 10, "ports": 0, "networks": 0}
    world.close()


def delete(world: World, _server_id: str, volume_id: str) -> Any:
    from hanok.api.volume.service import service

    for endpoint in service().endpoints:
        if (endpoint.method, endpoint.path) == ("DELETE", "/v2/{tenant}/volumes/{volume}"):
            return endpoint.handler(world.call(volume=volume_id))
    raise KeyError("volumes")


ASKS: dict[str, Callable[[World, str, str], Any]] = {"attach": attach, "delete": delete}


@pytest.mark.parametrize("others", [["attach", "attach"], ["attach", "delete", "delete"]])
def test_of_many_at_once_one_has_the_volume(
    each_database_url: str, tmp_path: Path, others: list[str]
) -> None:
    world = World(each_database_url, tmp_path).open().start()
    server_id = world.create(availability_zone="kr-pub-a")
    world.settle()
    for _ in range(5):
        data = volume(world)
        world.settle()
        gate = threading.Barrier(len(others))

        def ask(name: str, data: str = data, gate: threading.Barrier = gate) -> bool:
            gate.wait(5)
            try:
                return int(ASKS[name](world, server_id, data).status) in (200, 202)
            except (Invalid, NotFound):
                return False

        with ThreadPoolExecutor(len(others)) as pool:
            won = list(pool.map(ask, others))
        assert won.count(True) == 1, others
        world.settle()
        attached = data in [one["volumeId"] for one in listed(world, server_id)]
        assert attached == (others[won.index(True)] == "attach")
    world.close()


def test_limit_and_offset_cut_a_page_out_of_the_list(world: World) -> None:
    blank = {"source_type": "blank", "destination_type": "volume", "volume_size": 1}
    root = {**blank, "source_type": "image", "uuid": IMAGE, "boot_index": 0, "volume_size": 10}
    server_id = world.create(block_device_mapping_v2=[root, *[blank] * 3])
    world.settle()
    for query, letters in (
        ("", "abcd"),
        ("limit=2", "ab"),
        ("offset=1", "bcd"),
        ("limit=2&offset=1", "bc"),
        ("limit=2&offset=3", "d"),
        ("offset=4", ""),
        ("limit=0&offset=2", "cd"),
        ("limit=2000000000", "abcd"),
    ):
        found = send(world, "GET", ALL, query, server=server_id).body["volumeAttachments"]
        assert [one["device"] for one in found] == [f"/dev/vd{x}" for x in letters], query
    for query in ("limit=-1", "limit=x", "offset=x", "offset=1.5"):
        with pytest.raises(Invalid, match=query.partition("=")[0]):
            send(world, "GET", ALL, query, server=server_id)


def test_the_root_s_name_is_in_use_on_a_server_with_a_disk_of_its_own_too(
    world: World, zoned: str
) -> None:
    u2 = world.create(local=True, availability_zone="kr-pub-a")
    data = volume(world)
    world.settle()
    for server_id in (zoned, u2):
        with pytest.raises(Conflict, match=r"\(/dev/vda\) is in use"):
            attach(world, server_id, data, device="/dev/vda")
    assert status(world, data) == "available"


def test_a_locked_server_keeps_its_disks(world: World, zoned: str) -> None:
    data, other = volume(world), volume(world)
    world.settle()
    attach(world, zoned, data)
    world.settle()
    world.act(zoned, "lock")
    with pytest.raises(Conflict, match="is locked"):
        attach(world, zoned, other)
    with pytest.raises(Conflict, match="is locked"):
        send(world, "DELETE", ONE, server=zoned, volume=data)
    assert (status(world, data), status(world, other)) == ("in-use", "available")


def test_each_rule_of_attaching_says_what_is_wrong(world: World, zoned: str) -> None:
    data, elsewhere = volume(world), volume(world)
    world.settle()
    attach(world, zoned, data)
    world.settle()
    with pytest.raises(Invalid, match="but the current status is in-use"):
        attach(world, zoned, data)
    with pytest.raises(NotFound, match=f"Volume {NONE} could not be found"):
        attach(world, zoned, NONE)
    with pytest.raises(Invalid, match=r"volumeId\. Invalid UUID"):
        attach(world, zoned, "x")
    with pytest.raises(Invalid, match=r"device\. Expected"):
        attach(world, zoned, elsewhere, device="vdb")
    with pytest.raises(Conflict, match="is in use"):
        attach(world, zoned, elsewhere, device="/dev/vdb")
    root = listed(world, zoned)[0]["volumeId"]
    with pytest.raises(Invalid, match="Cannot detach a root device volume"):
        send(world, "DELETE", ONE, server=zoned, volume=root)
    with pytest.raises(NotFound, match="is not attached to volume"):
        send(world, "DELETE", ONE, server=zoned, volume=elsewhere)
    other = world.create(availability_zone="kr-pub-b", local=True)
    world.settle()
    with pytest.raises(Invalid, match="not in same availability_zone"):
        attach(world, other, elsewhere)
