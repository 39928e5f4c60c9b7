from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from hanok.guest import boot_disk
from hanok.guest.boot_disk import BootLoader, DiskUnmade, FileSystem

UUID = "68616e6f-6b74-496e-b900-0000000000ff"
LOADER = BootLoader(boot_code=b"B" * 512, core=b"C" * 5000)


def make_root(folder: Path) -> Path:
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/a file").write_text("hello")
    (folder / "link").symlink_to("etc/a file")
    return folder


def debugfs(disk: Path, request: str) -> str:
    done = subprocess.run(
        ["/sbin/debugfs", "-R", request, f"{disk}?offset=1048576"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout


def test_disk_has_mbr_loader_and_file_system(tmp_path: Path) -> None:
    disk = tmp_path / "disk.raw"
    system = FileSystem(make_root(tmp_path / "root"), "label", UUID, inodes=512)
    boot_disk.write(disk, 64, LOADER, system)
    content = disk.read_bytes()
    assert len(content) == 64 << 20
    assert content[:440] == b"B" * 440
    assert content[510:512] == b"\x55\xaa"
    flag, kind, start, sectors = struct.unpack_from("<B3xB3xII", content, 446)
    assert (flag, kind, start, sectors) == (0x80, 0x83, 2048, (64 << 11) - 2048)
    assert content[512 : 512 + 5000] == b"C" * 5000
    assert debugfs(disk, 'cat "/etc/a file"') == "hello"
    assert "User:     0   Group:     0" in debugfs(disk, 'stat "/etc/a file"')
    described = debugfs(disk, "stats")
    assert "Block size:               4096" in described
    assert UUID in described
    assert disk.stat().st_blocks * 512 < 32 << 20


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root")
    disk = tmp_path / "disk.raw"
    system = FileSystem(root, "label", UUID, inodes=512)
    with pytest.raises(DiskUnmade, match="GRUB"):
        boot_disk.write(disk, 64, BootLoader(b"", b"C" * (1 << 20)), system)
    (root / "big").write_bytes(b"x" * (65 << 20))
    with pytest.raises(DiskUnmade, match="mke2fs"):
        boot_disk.write(disk, 64, LOADER, system)


def test_initrd_is_a_cpio_archive_of_roots(tmp_path: Path) -> None:
    archive = boot_disk.initrd(make_root(tmp_path / "root"))
    assert len(archive) % 4 == 0
    entries = {}
    place = 0
    while place < len(archive):
        assert archive[place : place + 6] == b"070701"
        fields = [int(archive[place + 6 + 8 * n : place + 14 + 8 * n], 16) for n in range(13)]
        mode, uid, gid, size, name_size = (fields[n] for n in (1, 2, 3, 6, 11))
        name = archive[place + 110 : place + 110 + name_size - 1].decode()
        start = (place + 110 + name_size + 3) & ~3
        entries[name] = (oct(mode & 0o170000), uid, gid, archive[start : start + size])
        place = (start + size + 3) & ~3
    assert entries == {
        "etc": ("0o40000", 0, 0, b""),
        "etc/a file": ("0o100000", 0, 0, b"hello"),
        "link": ("0o120000", 0, 0, b"etc/a file"),
        "TRAILER!!!": ("0o0", 0, 0, b""),
    }
