from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from hanok.drivers.base import DiskSpec, ExportedImage
from hanok.drivers.libvirt.disk_holders import DiskHolders
from hanok.drivers.libvirt.storage import GIB, LibvirtStorage
from hanok.media import qemu_img
from hanok.media.image_store import FREE_BYTES, ImageStore
from hanok.media.inspect import backing_file
from hanok.media.qemu_img import convert, create_blank
from hanok.model.errors import HostError


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    store = ImageStore(tmp_path / "images")
    store.add("raw-1", [b"boot" * 128, bytes(1 << 20)], "raw")
    create_blank(tmp_path / "source", 2 * GIB)
    store.add("qcow2-1", tmp_path / "source", "qcow2")
    store.add("iso-1", [bytes(32769), b"CD001", bytes(2048)], "iso")
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "disks"
    folder.mkdir()
    return folder


@pytest.fixture
def storage(folder: Path, images: ImageStore) -> LibvirtStorage:
    return LibvirtStorage(folder, images, DiskHolders(folder))


def test_a_disk_is_thin_over_its_image(
    storage: LibvirtStorage, images: ImageStore, tmp_path: Path
) -> None:
    for image_id, fmt in (("raw-1", "raw"), ("qcow2-1", "qcow2")):
        disk = storage.create_disk(DiskSpec(f"of-{image_id}", 1000, image_id, fmt))
        assert (disk.format, disk.size_gib) == ("qcow2", 1000)
        assert backing_file(Path(disk.path)) == str(images.path(image_id))
        assert Path(disk.path).stat().st_blocks * 512 < 1 << 20
    small = storage.create_disk(DiskSpec("small", 1, "raw-1", "raw"))
    convert(Path(small.path), "qcow2", tmp_path / "flat", "raw", 30)
    with (tmp_path / "flat").open("rb") as flat:
        assert flat.read(8) == b"bootboot"


def test_fault_40_a_blank_disk_reads_zeros(storage: LibvirtStorage, tmp_path: Path) -> None:
    used = storage.create_disk(DiskSpec("disk-1", 1, "raw-1", "raw"))
    storage.delete_disk("disk-1")
    disk = storage.create_disk(DiskSpec("disk-1", 1))
    assert disk.path == used.path
    assert backing_file(Path(disk.path)) is None
    convert(Path(disk.path), "qcow2", tmp_path / "flat", "raw", 30)
    with (tmp_path / "flat").open("rb") as flat:
        assert flat.read(1 << 20) == bytes(1 << 20)
    assert (tmp_path / "flat").stat().st_blocks <= 8


def test_only_root_reads_a_disk(storage: LibvirtStorage) -> None:
    disk = storage.create_disk(DiskSpec("disk-1", 1))
    assert Path(disk.path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "spec",
    [
        DiskSpec("disk-1", 0),
        DiskSpec("disk-1", -5),
        DiskSpec("disk-1", 1, "absent", "raw"),
        DiskSpec("disk-1", 1, "qcow2-1", "qcow2"),
        DiskSpec("disk-1", 9, "qcow2-1", "raw"),
        DiskSpec("disk-1", 9, "raw-1", "qcow2"),
        DiskSpec("disk-1", 9, "raw-1", None),
        DiskSpec("disk-1", 9, "iso-1", "iso"),
        DiskSpec("../disk", 1),
        DiskSpec(".disk", 1),
    ],
)
def test_a_wrong_disk_is_refused_for_good_and_leaves_nothing(
    storage: LibvirtStorage, folder: Path, spec: DiskSpec
) -> None:
    with pytest.raises(HostError) as caught:
        storage.create_disk(spec)
    assert caught.value.permanent
    assert str(folder) not in caught.value.message
    assert list(folder.iterdir()) == []


def test_a_held_disk_is_not_deleted(storage: LibvirtStorage, folder: Path) -> None:
    disk = storage.create_disk(DiskSpec("disk-1", 1))
    DiskHolders(folder).take("disk-1", "server-1")
    with pytest.raises(HostError) as caught:
        storage.delete_disk("disk-1")
    assert caught.value.permanent
    assert storage.list_disks() == [disk]
    DiskHolders(folder).release("server-1")
    storage.delete_disk("disk-1")
    storage.delete_disk("disk-1")
    assert list(folder.iterdir()) == []


def test_a_disk_is_replaced_with_the_image_below_the_other(
    storage: LibvirtStorage, images: ImageStore
) -> None:
    disk = storage.create_disk(DiskSpec("disk-1", 2))
    storage.create_disk(DiskSpec("disk-2", 2, "raw-1", "raw"))
    storage.replace_disk("disk-1", "disk-2")
    assert backing_file(Path(disk.path)) == str(images.path("raw-1").resolve())
    assert Path(disk.path).stat().st_mode & 0o777 == 0o600
    assert storage.list_disks() == [disk]


def test_a_damaged_disk_is_an_error(storage: LibvirtStorage, folder: Path) -> None:
    disk = storage.create_disk(DiskSpec("disk-1", 1))
    Path(disk.path).write_bytes(b"no header")
    with pytest.raises(HostError, match="damaged"):
        storage.list_disks()
    with pytest.raises(HostError, match="damaged"):
        storage.describe_disk("disk-1")


def test_a_disk_becomes_an_image(
    storage: LibvirtStorage, images: ImageStore, tmp_path: Path
) -> None:
    storage.create_disk(DiskSpec("disk-1", 1, "raw-1", "raw"))
    exported = storage.export_disk("disk-1", "image-9", "qcow2")
    assert exported.virtual_bytes == GIB
    assert images.get("image-9").checksum == exported.checksum
    assert backing_file(images.path("image-9")) is None
    assert storage.export_disk("disk-1", "image-9", "qcow2") == exported
    convert(images.path("image-9"), "qcow2", tmp_path / "flat", "raw", 30)
    with (tmp_path / "flat").open("rb") as flat:
        assert flat.read(8) == b"bootboot"
    for _ in range(2):
        storage.discard_image("image-9")
        assert images.find("image-9") is None
    assert images.find("raw-1") is not None


def test_the_guide_s_largest_root_disk_becomes_a_raw_image_at_once(
    storage: LibvirtStorage, images: ImageStore
) -> None:
    """Its guest is held still meanwhile; a thousand GB of holes are neither copied nor hashed."""
    storage.create_disk(DiskSpec("disk-1", 1000, "raw-1", "raw"))
    before = time.monotonic()
    exported = storage.export_disk("disk-1", "image-9", "raw")
    assert time.monotonic() - before < 30
    assert exported == ExportedImage(1000 * GIB, 1000 * GIB, None)
    assert images.path("image-9").stat().st_blocks * 512 < 1 << 20


def test_a_copy_that_would_fill_the_host_is_not_begun(
    storage: LibvirtStorage, folder: Path, images: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    storage.create_disk(DiskSpec("source", 1, "raw-1", "raw"))
    needed = qemu_img.measure(folder / "source.qcow2", "qcow2")
    stored = sorted(images.root.iterdir())
    copies: tuple[Callable[[], object], ...] = (
        lambda: storage.export_disk("source", "image-9", "qcow2"),
        lambda: storage.create_disk(DiskSpec("copy", 1, "raw-1", "raw", independent=True)),
    )
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(FREE_BYTES + needed // 2))
    for copy in copies:
        with pytest.raises(HostError, match="not enough space") as caught:
            copy()
        assert caught.value.permanent
        assert str(folder) not in caught.value.message
    assert sorted(images.root.iterdir()) == stored
    assert [path.name for path in folder.iterdir()] == ["source.qcow2"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(FREE_BYTES + needed))
    for copy in copies:
        copy()


@pytest.mark.parametrize(("image_id", "fmt"), [("raw-1", "raw"), ("image-9", "qcow2")])
def test_a_disk_that_is_independent_of_its_image_outlives_it(
    storage: LibvirtStorage, images: ImageStore, tmp_path: Path, image_id: str, fmt: str
) -> None:
    storage.create_disk(DiskSpec("source", 1, "raw-1", "raw"))
    storage.export_disk("source", "image-9", "qcow2")
    storage.delete_disk("source")
    disk = storage.create_disk(DiskSpec("disk-1", 7, image_id, fmt, independent=True))
    assert disk.size_gib == 7
    assert backing_file(Path(disk.path)) is None
    assert Path(disk.path).stat().st_mode & 0o777 == 0o600
    for one in images.list_images():
        images.remove(one.image_id)
    assert storage.create_disk(DiskSpec("disk-1", 7, image_id, fmt, independent=True)) == disk
    convert(Path(disk.path), "qcow2", tmp_path / "flat", "raw", 30)
    with (tmp_path / "flat").open("rb") as flat:
        assert flat.read(8) == b"bootboot"


@pytest.mark.parametrize(
    ("dies_in", "doing"),
    [
        ("create_blank", "create_disk(DiskSpec('disk-2', 1))"),
        ("convert", "export_disk('disk-1', 'image-9', 'raw')"),
    ],
)
def test_what_a_killed_process_left_is_swept(
    storage: LibvirtStorage, folder: Path, images: ImageStore, dies_in: str, doing: str
) -> None:
    storage.create_disk(DiskSpec("disk-1", 1))
    before = everything(folder, images.root)
    lines = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from hanok.drivers.base import DiskSpec\n"
        "from hanok.drivers.libvirt.disk_holders import DiskHolders\n"
        "from hanok.drivers.libvirt.storage import LibvirtStorage\n"
        "from hanok.media import qemu_img\n"
        "from hanok.media.image_store import ImageStore\n"
        f"done = qemu_img.{dies_in}\n"
        f"qemu_img.{dies_in} = lambda *words: (done(*words), os._exit(9))\n"
        "folder = Path(sys.argv[1])\n"
        "store = ImageStore(Path(sys.argv[2]))\n"
        f"LibvirtStorage(folder, store, DiskHolders(folder)).{doing}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", lines, str(folder), str(images.root)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 9
    left = everything(folder, images.root) - before
    assert left
    assert [disk.disk_id for disk in storage.list_disks()] == ["disk-1"]
    LibvirtStorage(folder, ImageStore(images.root), DiskHolders(folder))
    assert everything(folder, images.root) == before


def everything(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*")}


def test_what_a_living_process_makes_is_left_alone(
    storage: LibvirtStorage, folder: Path, images: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = qemu_img.create_blank

    def create(path: Path, size: int) -> None:
        LibvirtStorage(folder, images, DiskHolders(folder))
        made(path, size)

    monkeypatch.setattr(qemu_img, "create_blank", create)
    assert storage.create_disk(DiskSpec("disk-1", 1)) in storage.list_disks()
