from __future__ import annotations

import json

from hanok.model.volume import Volume
from hanok.operations import delete_volume
from hanok.store import volumes
from tests.operations.world import World
from tests.store.volume_rows import a_volume


def ask(world: World, method: str, path: str, body: object = None, **params: str) -> None:
    from hanok.api.volume.service import service

    for endpoint in service().endpoints:
        if (endpoint.method, endpoint.path) == (method, f"/v3/{{tenant}}/{path}"):
            assert endpoint.handler(world.call(body, **params)).status == 202
            world.settle()
            return
    raise KeyError(path)


def only(world: World) -> Volume:
    with world.store.read() as reader:
        found = volumes.page(reader, volumes.Listing(None, 10))
    assert found is not None
    [(volume, _)] = found
    return volume


def make(world: World) -> Volume:
    ask(world, "POST", "volumes", {"volume": {"size": 1}})
    volume = only(world)
    assert (volume.status, world.reality()["disks"]) == ("available", 1)
    return volume


def test_disk_and_row_go(world: World) -> None:
    ask(world, "DELETE", "volumes/{volume}", volume=make(world).id)
    world.assert_nothing_is_left()


def test_a_disk_that_stays_shows_and_deleting_again_tries_again(world: World) -> None:
    volume = make(world)
    faults = world.folder / "world" / "faults.json"
    rule = {"verb": "storage.delete_disk", "permanent": True, "message": "The disk is stuck."}
    faults.write_text(json.dumps({"failures": [rule]}))
    ask(world, "DELETE", "volumes/{volume}", volume=volume.id)
    assert only(world).status == "error_deleting"
    assert world.reality()["disks"] == 1
    faults.unlink()
    ask(world, "DELETE", "volumes/{volume}", volume=volume.id)
    world.assert_nothing_is_left()


def test_a_volume_without_a_host_has_only_a_row(world: World) -> None:
    volume = a_volume(1, project_id="a" * 32, status="deleting")
    with world.store.write() as tx:
        volumes.add(tx, volume)
        delete_volume.submit(tx, world.engine, volume)
    world.settle()
    world.assert_nothing_is_left()


def test_it_is_alone_on_its_volume(world: World) -> None:
    volume = make(world)
    with world.store.write() as tx:
        for _ in range(2):
            delete_volume.submit(tx, world.engine, volume)
    world.settle()
    world.assert_nothing_is_left()
