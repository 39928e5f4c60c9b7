"""What a disk image is, read from its bytes without trusting a word of them.

An image comes from a tenant. Its header may name another file of the host as backing or data
file, claim an absurd size, or look like two formats at once; each has been a vulnerability
elsewhere (CVE-2015-5163, CVE-2022-47951, CVE-2024-32498, CVE-2024-4467). So the bytes are read
here, by plain Python, before any program that would follow them, and every image is held to the
format that its owner declared.

Source of the layouts: QEMU's docs/interop/qcow2.txt, ECMA-119, Microsoft's VHD specification.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from hanok.model.errors import Invalid

Format = Literal["raw", "qcow2", "iso"]

FORMATS: Final[tuple[Format, ...]] = ("raw", "qcow2", "iso")
"""The formats that are stored; all others are recognised in order to be refused."""

MAX_VIRTUAL_SIZE: Final = 16 << 40
"""The largest virtual size taken, in bytes: 16 TiB."""

_SECTOR: Final = 512
_ISO_MAGIC_AT: Final = 16 * 2048 + 1
_HEAD: Final = 4096

_QCOW2_V2_LENGTH: Final = 72
_QCOW2_V3_LENGTH: Final = 104
_QCOW2_MAX_HEADER: Final = 1 << 20
_QCOW2_MAX_L1_ENTRIES: Final = (32 << 20) // 8  # QEMU's own limit
_INCOMPATIBLE_DIRTY: Final = 1 << 0
_INCOMPATIBLE_CORRUPT: Final = 1 << 1
_INCOMPATIBLE_DATA_FILE: Final = 1 << 2
_INCOMPATIBLE_COMPRESSION: Final = 1 << 3
_INCOMPATIBLE_EXTENDED_L2: Final = 1 << 4
_INCOMPATIBLE_KNOWN: Final = (
    _INCOMPATIBLE_DIRTY | _INCOMPATIBLE_COMPRESSION | _INCOMPATIBLE_EXTENDED_L2
)
_EXTENSION_END: Final = 0
_EXTENSION_BACKING_FORMAT: Final = 0xE2792ACA
_EXTENSION_DATA_FILE: Final = 0x44415441


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What an image's bytes say: `size` of the file and `virtual_size` of the disk, in bytes."""

    format: Format
    size: int
    virtual_size: int


@dataclass(frozen=True, slots=True)
class Qcow2Header:
    """The fields of a qcow2 header that matter here; sizes and offsets in bytes."""

    version: int
    backing_offset: int
    backing_length: int
    cluster_bits: int
    virtual_size: int
    crypt_method: int
    l1_entries: int
    l1_offset: int
    refcount_offset: int
    refcount_clusters: int
    incompatible: int
    header_length: int


def inspect(path: Path, declared: str, *, max_virtual_size: int = MAX_VIRTUAL_SIZE) -> ImageFacts:
    """Read the image at `path` and hold it to its declared format.

    Raises `Invalid` where the format is not offered, the bytes are of another format or of
    several, or a qcow2 header refers to another file, needs features unknown here, is encrypted,
    inconsistent, or claims more than `max_virtual_size` bytes.
    """
    fmt = next((known for known in FORMATS if known == declared), None)
    if fmt is None:
        raise Invalid(f"Disk format {declared!r} is not supported; use one of {_listed(FORMATS)}.")
    with path.open("rb") as image:
        size = image.seek(0, os.SEEK_END)
        if size == 0:
            raise Invalid("The image is empty.")
        found = detect(image, size)
        _match(fmt, found)
        virtual_size = size
        if fmt == "qcow2":
            header = read_qcow2_header(image)
            _check_qcow2(image, header, size)
            virtual_size = header.virtual_size
    if virtual_size > max_virtual_size:
        limit = max_virtual_size >> 30
        raise Invalid(f"The image's disk is {virtual_size >> 30} GiB; the limit is {limit} GiB.")
    return ImageFacts(fmt, size, virtual_size)


def detect(image: BinaryIO, size: int) -> frozenset[str]:
    """Return every format whose signature the image carries; none at all means raw."""
    image.seek(0)
    head = image.read(_HEAD)
    image.seek(max(0, size - _SECTOR))
    tail = image.read(_SECTOR)
    image.seek(_ISO_MAGIC_AT)
    volume = image.read(5)
    found = {name for name, test in _SIGNATURES.items() if test(head)}
    if tail[:8] == b"conectix":
        found.add("vhd")
    if tail[:4] == b"koly":
        found.add("dmg")
    if volume == b"CD001":
        found.add("iso")
    return frozenset(found)


def read_qcow2_header(image: BinaryIO) -> Qcow2Header:
    """Read a qcow2 header, version 2 or 3; raises `Invalid` if it is neither."""
    image.seek(0)
    raw = image.read(_QCOW2_V3_LENGTH)
    if len(raw) < _QCOW2_V2_LENGTH or raw[:4] != b"QFI\xfb":
        raise Invalid("The image has no qcow2 header.")
    fields = struct.unpack(">IIQIIQIIQQIIQ", raw[:_QCOW2_V2_LENGTH])
    version = fields[1]
    if version not in (2, 3):
        raise Invalid(f"qcow2 version {version} is not supported.")
    incompatible, header_length = 0, _QCOW2_V2_LENGTH
    if version == 3:
        if len(raw) < _QCOW2_V3_LENGTH:
            raise Invalid("The image's qcow2 header is cut short.")
        incompatible = struct.unpack(">Q", raw[72:80])[0]
        header_length = struct.unpack(">I", raw[100:104])[0]
    return Qcow2Header(
        version=version,
        backing_offset=fields[2],
        backing_length=fields[3],
        cluster_bits=fields[4],
        virtual_size=fields[5],
        crypt_method=fields[6],
        l1_entries=fields[7],
        l1_offset=fields[8],
        refcount_offset=fields[9],
        refcount_clusters=fields[10],
        incompatible=incompatible,
        header_length=header_length,
    )


def backing_file(path: Path) -> str | None:
    """Return the backing file that the qcow2 at `path` names, None where it names none.

    For disks of our own making: an image of a tenant's that names one is refused before.
    """
    with path.open("rb") as image:
        header = read_qcow2_header(image)
        if header.backing_offset == 0:
            return None
        if header.backing_length > 1023:
            raise Invalid("The disk's backing file name is too long.")
        image.seek(header.backing_offset)
        return image.read(header.backing_length).decode()


def _match(declared: str, found: frozenset[str]) -> None:
    """Refuse bytes of another format than declared, or of more than one."""
    expected = frozenset() if declared == "raw" else frozenset({declared})
    if found == expected:
        return
    if not found:
        raise Invalid(f"The image was declared {declared}, but its bytes are not.")
    if len(found) > 1:
        raise Invalid(f"The image's bytes are several formats at once: {_listed(found)}.")
    raise Invalid(f"The image was declared {declared}, but its bytes are {_listed(found)}.")


def _check_qcow2(image: BinaryIO, header: Qcow2Header, size: int) -> None:
    """Refuse a qcow2 that points outside itself or contradicts itself."""
    if header.backing_offset != 0 or header.backing_length != 0:
        raise Invalid("The image refers to a backing file; flatten it first.")
    if header.incompatible & _INCOMPATIBLE_DATA_FILE:
        raise Invalid("The image refers to an external data file.")
    if header.incompatible & _INCOMPATIBLE_CORRUPT:
        raise Invalid("The image is marked as corrupt.")
    unknown = header.incompatible & ~_INCOMPATIBLE_KNOWN
    if unknown:
        raise Invalid(f"The image needs unknown qcow2 features (bits {unknown:#x}).")
    if header.crypt_method != 0:
        raise Invalid("The image is encrypted.")
    if not 9 <= header.cluster_bits <= 21:
        raise Invalid(f"The image's cluster size is out of range (2^{header.cluster_bits} bytes).")
    _check_extensions(image, header)
    _check_tables(header, size)


def _check_extensions(image: BinaryIO, header: Qcow2Header) -> None:
    """Walk the header extensions and refuse those that name another file."""
    limit = min(1 << header.cluster_bits, _QCOW2_MAX_HEADER)
    at = header.header_length
    if at < (_QCOW2_V3_LENGTH if header.version == 3 else _QCOW2_V2_LENGTH) or at % 8:
        raise Invalid(f"The image's qcow2 header length is wrong ({at}).")
    while at + 8 <= limit:
        image.seek(at)
        raw = image.read(8)
        if len(raw) < 8:
            break
        kind, length = struct.unpack(">II", raw)
        if kind == _EXTENSION_END:
            return
        if kind == _EXTENSION_DATA_FILE:
            raise Invalid("The image refers to an external data file.")
        if kind == _EXTENSION_BACKING_FORMAT:
            raise Invalid("The image refers to a backing file; flatten it first.")
        if at + 8 + length > limit:
            break
        at += 8 + (length + 7) // 8 * 8
    raise Invalid("The image's qcow2 header extensions run past its first cluster.")


def _check_tables(header: Qcow2Header, size: int) -> None:
    """Check that the tables fit the disk's size and lie inside the file."""
    cluster = 1 << header.cluster_bits
    entry = 16 if header.incompatible & _INCOMPATIBLE_EXTENDED_L2 else 8
    covered = cluster * (cluster // entry)
    needed = -(-header.virtual_size // covered)
    if header.virtual_size == 0 or header.virtual_size % _SECTOR:
        raise Invalid(f"The image's disk size is wrong ({header.virtual_size} bytes).")
    if not needed <= header.l1_entries <= _QCOW2_MAX_L1_ENTRIES:
        raise Invalid("The image's qcow2 tables do not fit its disk size.")
    tables = (
        (header.l1_offset, header.l1_entries * 8),
        (header.refcount_offset, header.refcount_clusters * cluster),
    )
    for offset, length in tables:
        if offset == 0 or offset % cluster or length == 0 or offset + length > size:
            raise Invalid("The image's qcow2 tables lie outside its bytes.")


def _is_vmdk(head: bytes) -> bool:
    """Tell a VMDK extent or descriptor; a descriptor is text whose first words are its version."""
    if head.startswith((b"KDMV", b"COWD")) or b"# Disk DescriptorFile" in head:
        return True
    lines = (line.strip() for line in head[:_SECTOR].split(b"\n"))
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    return first.startswith(b"version=")


def _starts(*prefixes: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(prefixes)


# Everything that QEMU would recognise by probing, so that nothing it can open passes as raw.
_SIGNATURES: Final[dict[str, Callable[[bytes], bool]]] = {
    "qcow2": _starts(b"QFI\xfb"),
    "qed": _starts(b"QED\0"),
    "vmdk": _is_vmdk,
    "vhd": _starts(b"conectix"),
    "vhdx": _starts(b"vhdxfile"),
    "vdi": lambda head: head[64:68] == b"\x7f\x10\xda\xbe",
    "luks": _starts(b"LUKS\xba\xbe"),
    "parallels": _starts(b"WithoutFreeSpace", b"WithouFreSpacExt"),
    "bochs": _starts(b"Bochs Virtual HD Image"),
    "cloop": _starts(b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop"),
}


def _listed(formats: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(formats))
