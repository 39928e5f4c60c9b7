"""A disk that boots by itself: MBR, GRUB in the gap behind it, one ext4 partition; no root needed.

Nothing is mounted: mke2fs fills the file system from a folder, and GRUB's parts are written to
their sectors. BIOS (SeaBIOS in QEMU) only.
"""

from __future__ import annotations

import os
import stat
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hanok.guest.image_cache import BuildFailed

SECTOR = 512
MIB = 1 << 20
_FIRST_SECTOR = 2048  # of the partition: 1 MiB, as every partitioner aligns
_BOOT_CODE = 440  # bytes of the MBR before the disk's signature
_JOURNAL_MIB = 16
_TIMEOUT = 120  # seconds


class DiskUnmade(BuildFailed):
    """The disk could not be made: most likely the boot loader or the files do not fit."""


@dataclass(frozen=True, slots=True)
class FileSystem:
    """An ext4 file system to be, filled from the folder `root`.

    `inodes` is their number at first; it grows in proportion. `max_mib` is how large the file
    system can ever grow while mounted (room is reserved for the group descriptors).
    """

    root: Path
    label: str
    uuid: str
    inodes: int
    max_mib: int = 2 << 20


@dataclass(frozen=True, slots=True)
class BootLoader:
    """GRUB's parts: `boot_code` is boot.img, `core` what grub-mkimage made for i386-pc."""

    boot_code: bytes
    core: bytes


def write(target: Path, size_mib: int, loader: BootLoader, system: FileSystem) -> None:
    """Write a bootable raw disk of `size_mib` to `target`, a sparse file.

    All files of the file system belong to root, whoever builds. Raises `DiskUnmade`.
    """
    if len(loader.core) > (_FIRST_SECTOR - 1) * SECTOR:
        raise DiskUnmade("GRUB does not fit before the first partition.")
    size = size_mib * MIB
    with target.open("wb") as disk:
        disk.truncate(size)
    _make_ext4(target, size // 4096 - _FIRST_SECTOR * SECTOR // 4096, system)
    with target.open("r+b") as disk:
        disk.write(_mbr(loader.boot_code, size // SECTOR - _FIRST_SECTOR))
        disk.write(loader.core)


def initrd(root: Path) -> bytes:
    """Return the folder as an initrd: an uncompressed cpio archive, all of it root's."""
    archive = bytearray()
    for number, path in enumerate(_walk(root), start=1):
        state = path.lstat()
        content = b""
        if stat.S_ISLNK(state.st_mode):
            content = os.fsencode(path.readlink())
        elif stat.S_ISREG(state.st_mode):
            content = path.read_bytes()
        archive += _cpio_entry(str(path.relative_to(root)), state.st_mode, number, content)
    archive += _cpio_entry("TRAILER!!!", 0, 0, b"")
    return bytes(archive)


def _mbr(boot_code: bytes, sectors: int) -> bytes:
    """The master boot record: GRUB's first stage and one active Linux partition."""
    no_chs = b"\xfe\xff\xff"  # "use the sector numbers instead"
    entry = struct.pack("<B3sB3sII", 0x80, no_chs, 0x83, no_chs, _FIRST_SECTOR, sectors)
    signature = b"hnk\0\0\0"
    return boot_code[:_BOOT_CODE] + signature + entry + bytes(3 * len(entry)) + b"\x55\xaa"


def _make_ext4(target: Path, blocks: int, system: FileSystem) -> None:
    # 4 KiB blocks: small file systems get 1 KiB by default, and GRUB reads those at half the speed.
    # resize=: without it a file system this small cannot grow past some tens of GB. The journal
    # must hold the largest step of growing, which a default journal of 4 MiB cannot.
    extended = [
        f"offset={_FIRST_SECTOR * SECTOR}",
        f"resize={system.max_mib * (MIB // 4096)}",
        f"hash_seed={system.uuid}",
        "lazy_itable_init=0",
        "lazy_journal_init=0",
        "nodiscard",
    ]
    command = ["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0"]
    command += [
        "-J",
        f"size={_JOURNAL_MIB}",
        "-N",
        str(system.inodes),
        "-L",
        system.label,
        "-U",
        system.uuid,
    ]
    command += ["-E", ",".join(extended), "-d", str(system.root), str(target), str(blocks)]
    env = os.environ | {"E2FSPROGS_FAKE_TIME": "946684800", "LC_ALL": "C"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_TIMEOUT, env=env
    )
    if done.returncode != 0:
        raise DiskUnmade(f"mke2fs could not make the file system: {done.stderr.strip()}")
    _give_to_root(target, system.root, env)


def _give_to_root(target: Path, root: Path, env: dict[str, str]) -> None:
    """Make root the owner of every file: mke2fs copied the builder's numbers."""
    if os.geteuid() == 0:
        return
    lines = []
    for path in _walk(root):
        name = f'"/{path.relative_to(root)}"'
        lines += [f"set_inode_field {name} uid 0", f"set_inode_field {name} gid 0"]
    subprocess.run(
        ["/sbin/debugfs", "-w", "-f", "-", f"{target}?offset={_FIRST_SECTOR * SECTOR}"],
        input="\n".join(lines),
        text=True,
        check=True,
        capture_output=True,
        timeout=_TIMEOUT,
        env=env,
    )


def _walk(root: Path) -> Iterator[Path]:
    """Everything below `root`, folders before what they hold, in a fixed order."""
    for path in sorted(root.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


def _cpio_entry(name: str, mode: int, inode: int, content: bytes) -> bytes:
    """One entry of cpio's "newc" format: header, name and content, each padded to four bytes."""
    encoded = os.fsencode(name) + b"\0"
    links, owner, time, device, checksum = 1, 0, 0, 0, 0
    fields = (
        *(inode, mode, owner, owner, links, time, len(content)),
        *(device, device, device, device, len(encoded), checksum),
    )
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    return _padded(header + encoded) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
