from __future__ import annotations

from pathlib import Path

import pytest

from hanok.drivers.base import DiskSpec, Drivers
from hanok.drivers.simulated.config import GIB, SimulatedConfig
from hanok.drivers.simulated.host import open_host
from hanok.drivers.simulated.records import WorldFiles
from hanok.model.errors import HostError
from tests.drivers.scene import Scene, domain_of

IMAGES = {"small": GIB, "odd": GIB + 1}


@pytest.fixture
def drivers(tmp_path: Path) -> Drivers:
    return open_host("here", tmp_path / "world", SimulatedConfig(disk_gib=10, images=IMAGES))


def test_the_space_below_is_what_images_have_written(drivers: Drivers) -> None:
    storage = drivers.storage
    storage.create_disk(DiskSpec("blank", 1000))
    assert storage.free_gib() == 10
    storage.create_disk(DiskSpec("of-image", 1000, "odd", "raw"))
    assert storage.free_gib() == 8
    for number in range(10):
        storage.create_disk(DiskSpec(f"more-{number}", 1, "small", "raw"))
    assert storage.free_gib() == 0


def test_a_disk_that_is_independent_of_its_image_does_not_name_it(
    drivers: Drivers, tmp_path: Path
) -> None:
    for disk_id, independent in (("tied", False), ("free", True)):
        drivers.storage.create_disk(DiskSpec(disk_id, 1, "small", "raw", independent))
    disks = WorldFiles(tmp_path / "world").disks
    tied, free = disks.get("tied"), disks.get("free")
    assert tied is not None
    assert free is not None
    assert (tied.image_id, free.image_id) == ("small", None)
    assert tied.written_bytes == free.written_bytes == GIB


@pytest.mark.parametrize(
    ("size_gib", "disk_format", "size"),
    [(1, "raw", GIB), (40, "raw", 40 * GIB), (40, "qcow2", GIB)],
)
def test_a_raw_image_is_as_large_as_its_disk_and_a_large_one_has_no_checksum(
    drivers: Drivers, size_gib: int, disk_format: str, size: int
) -> None:
    drivers.storage.create_disk(DiskSpec("disk", size_gib))
    image = drivers.storage.export_disk("disk", "image", disk_format)
    assert (image.size_bytes, image.virtual_bytes) == (size, size_gib * GIB)
    assert (image.checksum is None) == (size == 40 * GIB)


@pytest.mark.parametrize(
    "spec",
    [
        DiskSpec("d", 0),
        DiskSpec("d", 1, "small"),
        DiskSpec("d", 1, "absent", "raw"),
        DiskSpec("d", 1, "odd", "raw"),
    ],
)
def test_a_disk_that_cannot_be_is_refused_for_good(drivers: Drivers, spec: DiskSpec) -> None:
    with pytest.raises(HostError) as caught:
        drivers.storage.create_disk(spec)
    assert caught.value.permanent
    assert drivers.storage.list_disks() == []


def test_a_disk_that_a_domain_has_is_not_deleted(drivers: Drivers) -> None:
    scene = Scene(drivers)
    disk = scene.disk()
    spec = scene.define(domain_of((disk,)))
    with pytest.raises(HostError) as caught:
        drivers.storage.delete_disk(disk.disk_id)
    assert caught.value.permanent
    assert drivers.storage.list_disks() == [disk]
    drivers.compute.delete(spec.server_id)
    drivers.storage.delete_disk(disk.disk_id)
    assert drivers.storage.list_disks() == []


def test_a_disk_of_another_deployment_is_left_alone(drivers: Drivers, tmp_path: Path) -> None:
    disk = drivers.storage.create_disk(DiskSpec("d", 1))
    there = open_host("there", tmp_path / "world").storage
    there.delete_disk("d")
    with pytest.raises(HostError):
        there.create_disk(DiskSpec("d", 1))
    with pytest.raises(HostError):
        there.describe_disk("d")
    assert there.list_disks() == []
    assert drivers.storage.list_disks() == [disk]
