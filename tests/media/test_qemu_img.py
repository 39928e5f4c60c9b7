from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hanok.media.inspect import backing_file, inspect
from hanok.media.qemu_img import convert, create_blank, create_overlay, grow, measure
from hanok.model.errors import HostError
from tests.media.qcow2_bytes import GIB, qcow2


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    """Put another program in qemu-img's place."""
    path = folder / "bin" / "qemu-img"
    path.parent.mkdir()
    path.write_text(f"#!/usr/bin/python3\n{lines}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")


def test_a_blank_disk_is_thin_and_zero(tmp_path: Path) -> None:
    create_blank(tmp_path / "disk", 1000 * GIB)
    assert inspect(tmp_path / "disk", "qcow2").virtual_size == 1000 * GIB
    assert (tmp_path / "disk").stat().st_blocks * 512 < 1 << 20


def test_an_overlay_shows_its_image_and_then_zeros(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"boot" * 128 + bytes(1 << 16))
    create_overlay(tmp_path / "disk", image, "raw", 1 << 20)
    assert backing_file(tmp_path / "disk") == str(image)
    convert(tmp_path / "disk", "qcow2", tmp_path / "flat", "raw", 20)
    assert (tmp_path / "flat").read_bytes() == image.read_bytes().ljust(1 << 20, b"\0")


def test_a_copy_stands_alone(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"x" * 4096)
    create_overlay(tmp_path / "disk", image, "raw", 1 << 20)
    convert(tmp_path / "disk", "qcow2", tmp_path / "copy", "qcow2", 20)
    assert inspect(tmp_path / "copy", "qcow2").virtual_size == 1 << 20


def test_the_room_for_a_copy_is_its_data_with_its_image_s_and_no_holes(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(os.urandom(5 << 20))
    create_overlay(tmp_path / "disk", image, "raw", 1000 * GIB)
    create_blank(tmp_path / "blank", 1000 * GIB)
    tables = measure(tmp_path / "blank", "qcow2")
    assert tables < GIB
    assert tables + (5 << 20) <= measure(tmp_path / "disk", "qcow2") <= tables + (6 << 20)
    convert(tmp_path / "disk", "qcow2", tmp_path / "copy", "qcow2", 30)
    assert (tmp_path / "copy").stat().st_blocks * 512 <= measure(tmp_path / "disk", "qcow2")


def test_a_disk_grows_and_does_not_shrink(tmp_path: Path) -> None:
    create_blank(tmp_path / "disk", GIB)
    grow(tmp_path / "disk", "qcow2", 3 * GIB)
    assert inspect(tmp_path / "disk", "qcow2").virtual_size == 3 * GIB
    with pytest.raises(HostError) as caught:
        grow(tmp_path / "disk", "qcow2", GIB)
    assert caught.value.message == "The host could not resize a disk."


def test_fault_35_the_format_is_told_and_never_guessed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret".ljust(1 << 20))
    create_overlay(tmp_path / "trap", secret, "raw", 1 << 20)
    # What a guest may write to its raw disk: a qcow2 header that names a file of the host's.
    convert(tmp_path / "trap", "raw", tmp_path / "copy", "raw", 20)
    trap = (tmp_path / "trap").read_bytes()
    assert (tmp_path / "copy").read_bytes().rstrip(b"\0") == trap.rstrip(b"\0")
    create_overlay(tmp_path / "disk", tmp_path / "trap", "raw", 1 << 20)
    convert(tmp_path / "disk", "qcow2", tmp_path / "flat", "raw", 20)
    assert b"secret  " not in (tmp_path / "flat").read_bytes()


def test_a_failure_tells_the_tenant_no_path(tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        create_blank(tmp_path / "absent" / "disk", GIB)
    assert caught.value.message == "The host could not make a disk."
    assert str(tmp_path) in caught.value.detail


def test_fault_38_a_hang_ends_at_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, "import time; time.sleep(60)")
    before = time.monotonic()
    with pytest.raises(HostError, match=r"took over 0\.3 s") as caught:
        convert(tmp_path / "a", "raw", tmp_path / "b", "raw", 0.3)
    assert caught.value.permanent, "no second quarter of an hour for a guest that is held still"
    assert time.monotonic() - before < 5


def test_it_dies_with_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(
        tmp_path,
        monkeypatch,
        "import os, sys, time\n"
        "with open(sys.argv[-1], 'w') as file:\n"
        "    file.write(str(os.getpid()))\n"
        "time.sleep(60)",
    )
    lines = (
        "import sys\n"
        "from pathlib import Path\n"
        "from hanok.media.qemu_img import convert\n"
        "convert(Path('/'), 'raw', Path(sys.argv[1]), 'raw', 60)"
    )
    told = tmp_path / "pid"
    process = subprocess.Popen(
        [sys.executable, "-c", lines, str(told)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert soon(lambda: told.exists() and told.read_text() != "")
    process.kill()
    process.wait()
    assert soon(lambda: not running(told.read_text()))


def soon(true: Callable[[], bool]) -> bool:
    """Tell whether something becomes true within ten seconds."""
    until = time.monotonic() + 10
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return true()


def running(pid: str) -> bool:
    """Tell whether a process is there and no zombie; nobody may reap an orphan here."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_fault_37_memory_and_cpu_are_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        tmp_path,
        monkeypatch,
        "import resource, sys\n"
        "limits = [resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE]\n"
        "sys.exit(repr([resource.getrlimit(limit)[1] for limit in limits]))",
    )
    with pytest.raises(HostError) as caught:
        convert(tmp_path / "a", "raw", tmp_path / "b", "raw", 7)
    assert f"exit 1: {[1 << 30, 7, 0]}" in caught.value.detail


def test_as_many_threads_as_qemu_has_fit_into_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        tmp_path,
        monkeypatch,
        "import threading\n"
        "all_there = threading.Barrier(64, timeout=20)\n"
        "def work():\n"
        "    memory = [bytes(4096) for _ in range(10)]\n"
        "    all_there.wait()\n"
        "threads = [threading.Thread(target=work) for _ in range(64)]\n"
        "for thread in threads:\n"
        "    thread.start()\n",
    )
    convert(tmp_path / "a", "raw", tmp_path / "b", "raw", 30)


def test_fault_38_a_crash_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "import os; os.abort()")
    with pytest.raises(HostError) as caught:
        create_blank(tmp_path / "disk", GIB)
    assert "exit -6" in caught.value.detail


def test_nothing_installed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="not installed") as caught:
        create_blank(tmp_path / "disk", GIB)
    assert caught.value.permanent


def test_a_table_at_no_cluster_is_an_error(tmp_path: Path) -> None:
    image = bytearray(qcow2())
    image[3 << 16 : (3 << 16) + 16] = (1 << 63 | 0x10200).to_bytes(8) * 2
    (tmp_path / "image").write_bytes(image)
    with pytest.raises(HostError, match="could not copy"):
        convert(tmp_path / "image", "qcow2", tmp_path / "flat", "raw", 10)
