"""Where a volume comes to lie, what its disk is made of, and what a failure leaves."""

from __future__ import annotations

import pytest

from hanok.drivers.simulated.records import WorldFiles
from hanok.store import hosts
from tests.operations.volumes_made import ZONE, a_volume, refuses, volume
from tests.operations.world import HOST, IMAGE, World


def test_it_lies_on_a_host_of_its_zone_with_the_disk_that_was_asked_for(world: World) -> None:
    made = volume(world, a_volume(world, size=7))
    assert (made.status, made.host_id, made.availability_zone) == ("available", HOST, ZONE)
    disk = WorldFiles(world.folder / "world").disks.get(made.id)
    assert disk is not None
    assert (disk.disk.size_gib, disk.image_id) == (7, None)
    assert world.rows()["claims"] == 0, "a disk takes no CPU and no memory"


def test_one_of_an_image_is_made_from_it(world: World) -> None:
    made = volume(world, a_volume(world, size=10, imageRef=IMAGE))
    assert (made.status, made.bootable, made.image_id) == ("available", True, IMAGE)
    disk = WorldFiles(world.folder / "world").disks.get(made.id)
    assert disk is not None
    assert disk.image_id == IMAGE


def test_without_a_host_that_fits_it_is_an_error_and_nothing_else(world: World) -> None:
    with world.store.write() as tx:
        hosts.set_state(tx, HOST, "down", 1)
    made = volume(world, a_volume(world))
    assert (made.status, made.host_id) == ("error", None)
    assert world.reality()["disks"] == 0
    assert world.last_of("create_volume").state == "undone"
    world.block_storage("DELETE", "volumes/{volume}", volume=made.id)
    world.settle()
    world.assert_nothing_is_left()


def test_it_waits_for_hosts_that_are_only_joining(world: World) -> None:
    with world.store.write() as tx:
        hosts.set_state(tx, HOST, "joining", 1)
    body = {"volume": {"size": 1, "availability_zone": ZONE}}
    volume_id = str(world.block_storage("POST", "volumes", body).body["volume"]["id"])
    with pytest.raises(AssertionError, match="did not end"):
        world.settle(seconds=0.2)
    assert volume(world, volume_id).status == "creating"
    with world.store.write() as tx:
        hosts.set_state(tx, HOST, "up", 1)
    world.settle()
    assert volume(world, volume_id).status == "available"


def test_a_host_that_refuses_leaves_an_error_without_a_disk(world: World) -> None:
    with world.misbehaving(failures=refuses("storage.create_disk")):
        made = volume(world, a_volume(world))
    assert made.status == "error"
    assert world.reality()["disks"] == 0


def test_an_answer_that_is_lost_makes_one_disk(world: World) -> None:
    lost = {"verb": "storage.create_disk", "nth": 1, "outcome": "answer_lost"}
    with world.misbehaving(failures=[lost]):
        made = volume(world, a_volume(world))
    assert made.status == "available"
    assert world.reality()["disks"] == 1
