from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hanok.media.image_store import MOST_HASHED, ImageStore, StoredImage
from hanok.model.errors import HostError, Invalid, TooLarge
from tests.media.qcow2_bytes import GIB, qcow2

RAW = b"\xeb\x63" + bytes(200_000) + b"end"


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def test_an_image_is_stored_from_a_file(store: ImageStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(RAW)
    stored = store.add("img-1", source, "raw")
    assert stored == StoredImage(
        "img-1", "raw", len(RAW), len(RAW), hashlib.md5(RAW, usedforsecurity=False).hexdigest()
    )
    assert store.path("img-1").read_bytes() == RAW
    assert store.get("img-1") == store.find("img-1") == stored
    assert store.list_images() == [stored]


def test_an_image_is_stored_from_chunks(store: ImageStore) -> None:
    image = qcow2(tail=os.urandom(5000))
    chunks = (image[at : at + 777] for at in range(0, len(image), 777))
    stored = store.add("img-1", chunks, "qcow2")
    assert (stored.size, stored.virtual_size) == (len(image), GIB)
    assert stored.checksum == hashlib.md5(image, usedforsecurity=False).hexdigest()
    assert store.path("img-1").read_bytes() == image


def test_an_image_that_is_made_in_place_stays_where_it_was_written(store: ImageStore) -> None:
    written: list[int] = []

    def make(path: Path) -> None:
        path.write_bytes(RAW)
        path.chmod(0o600)
        written.append(path.stat().st_ino)

    stored = store.add_made("img-1", "raw", make)
    path = store.path("img-1")
    assert stored == StoredImage(
        "img-1", "raw", len(RAW), len(RAW), hashlib.md5(RAW, usedforsecurity=False).hexdigest()
    )
    assert ([path.stat().st_ino], path.read_bytes()) == (written, RAW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert store.add_made("img-1", "raw", make) == stored
    assert len(written) == 1


def test_a_large_one_that_is_made_in_place_has_no_checksum(store: ImageStore) -> None:
    size = MOST_HASHED + 512

    def make(path: Path) -> None:
        path.touch()
        os.truncate(path, size)

    stored = store.add_made("img-1", "raw", make)
    assert (stored.size, stored.virtual_size, stored.checksum) == (size, size, None)
    assert store.get("img-1") == stored


def test_zeros_take_no_room(store: ImageStore) -> None:
    chunks = [b"\x01" * 512, bytes(8 << 20), b"\x02" * 512, bytes(3 << 20)]
    store.add("img-1", iter(chunks), "raw")
    path = store.path("img-1")
    assert path.read_bytes() == b"".join(chunks)
    assert path.stat().st_blocks * 512 < 1 << 20


def test_stored_bytes_never_change(store: ImageStore) -> None:
    first = store.add("img-1", [RAW], "raw")
    assert store.add("img-1", [b"other"], "raw") == first
    assert store.path("img-1").read_bytes() == RAW


def test_two_writers_of_one_image_leave_one(store: ImageStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: store.add("img-1", [RAW] * 20, "raw"), range(8)))
    assert len(set(results)) == 1
    assert names(store) == ["img-1"]


def test_everybody_may_read_and_nobody_list(store: ImageStore) -> None:
    store.add("img-1", [RAW], "raw")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (store.root, store.root / "img-1")]
    assert modes == [0o711, 0o711]
    assert stat.S_IMODE(store.path("img-1").stat().st_mode) == 0o644


def test_a_refused_image_leaves_nothing(store: ImageStore) -> None:
    with pytest.raises(Invalid):
        store.add("img-1", [qcow2(backing_offset=512)], "qcow2")
    assert store.find("img-1") is None
    assert names(store) == []


def test_a_source_that_fails_leaves_nothing(store: ImageStore) -> None:
    def broken() -> Iterator[bytes]:
        yield RAW
        raise ConnectionError("gone")

    def make(_path: Path) -> None:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        store.add("img-1", broken(), "raw")
    with pytest.raises(ConnectionError):
        store.add_made("img-1", "raw", make)
    with pytest.raises(Invalid):
        store.add_made("img-1", "raw", lambda path: write(path, qcow2()))
    assert names(store) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_too_large(
    store: ImageStore, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TooLarge):
            store.add("one", [b"x"], "raw")
    assert list(store.root.iterdir()) == []


def test_an_image_is_removed(store: ImageStore) -> None:
    store.add("img-1", [RAW], "raw")
    store.remove("img-1")
    store.remove("img-1")
    assert store.find("img-1") is None
    assert store.list_images() == []
    assert names(store) == []
    with pytest.raises(HostError) as caught:
        store.path("img-1")
    assert caught.value.permanent


@pytest.mark.parametrize(
    "image_id", ["../../etc", "a/b", "", ".", "..", ".hidden", "a\0b", "x" * 65]
)
def test_an_id_is_no_path(store: ImageStore, image_id: str) -> None:
    for call in (store.find, store.get, store.path, store.remove):
        with pytest.raises(Invalid):
            call(image_id)
    with pytest.raises(Invalid):
        store.add(image_id, [RAW], "raw")


def test_what_a_killed_process_left_is_swept(store: ImageStore, tmp_path: Path) -> None:
    # The writer ends in the middle, as by SIGKILL: nothing of it is run any more.
    lines = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from hanok.media.image_store import ImageStore\n"
        "def chunks():\n"
        "    yield b'x' * 5000\n"
        "    os._exit(9)\n"
        "ImageStore(Path(sys.argv[1])).add('img-1', chunks(), 'raw')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", lines, str(store.root)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=30,
        check=False,
    )
    assert done.returncode == 9
    (left,) = names(store)
    assert left.startswith(".img-1.")
    assert store.find("img-1") is None
    assert store.list_images() == []
    ImageStore(store.root)
    assert names(store) == []


def test_what_a_dead_process_of_the_same_number_left_is_swept(store: ImageStore) -> None:
    (store.root / f".img-1.{os.getpid()}-1.a8d7").mkdir()
    ImageStore(store.root)
    assert names(store) == []


def test_what_a_living_process_makes_is_left_alone(store: ImageStore) -> None:
    def chunks() -> Iterator[bytes]:
        yield RAW
        ImageStore(store.root)
        yield RAW

    assert store.add("img-1", chunks(), "raw").size == 2 * len(RAW)


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def names(store: ImageStore) -> list[str]:
    return sorted(path.name for path in store.root.iterdir())
