"""Images that lie about themselves are refused, by number of the fault where it has one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanok.media.inspect import FORMATS, backing_file, inspect
from hanok.media.qemu_img import create_blank, create_overlay
from hanok.model.errors import Invalid
from tests.media.qcow2_bytes import CLUSTER, GIB, extension, qcow2

DATA_FILE = 0x44415441
BACKING_FORMAT = 0xE2792ACA
MBR = bytes(510) + b"\x55\xaa"
ISO = bytes(32769) + b"CD001" + bytes(4096)

Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: bytes) -> Path:
        path = tmp_path / "image"
        path.write_bytes(content)
        return path

    return write


def test_raw_is_as_large_as_its_file(write: Write) -> None:
    facts = inspect(write(MBR + bytes(1000)), "raw")
    assert (facts.format, facts.size, facts.virtual_size) == ("raw", 1512, 1512)


def test_qcow2_says_its_size(write: Write) -> None:
    facts = inspect(write(qcow2()), "qcow2")
    assert (facts.format, facts.size, facts.virtual_size) == ("qcow2", 4 * CLUSTER, GIB)


def test_iso_is_recognised(write: Write) -> None:
    assert inspect(write(ISO), "iso").virtual_size == len(ISO)


@pytest.mark.parametrize("size", [1 << 20, 50 * GIB, 1000 * GIB, 16 << 40])
def test_what_qemu_makes_is_taken(tmp_path: Path, size: int) -> None:
    create_blank(tmp_path / "disk", size)
    assert inspect(tmp_path / "disk", "qcow2").virtual_size == size


def test_fault_32_a_backing_file_is_refused(tmp_path: Path, write: Write) -> None:
    base = write(MBR)
    create_overlay(tmp_path / "overlay", base, "raw", GIB)
    with pytest.raises(Invalid, match="backing file"):
        inspect(tmp_path / "overlay", "qcow2")
    name = b"/etc/passwd"
    image = qcow2(backing_offset=200, backing_length=len(name))
    with pytest.raises(Invalid, match="backing file"):
        inspect(write(image[:200] + name + image[211:]), "qcow2")


def test_fault_32_a_backing_format_alone_is_refused(write: Write) -> None:
    with pytest.raises(Invalid, match="backing file"):
        inspect(write(qcow2(extension(BACKING_FORMAT, b"raw"))), "qcow2")


@pytest.mark.parametrize(
    "image",
    [
        qcow2(incompatible=1 << 2),
        qcow2(extension(0x6803F857, bytes(48)) + extension(DATA_FILE, b"/etc/shadow")),
    ],
    ids=["feature bit", "name without the bit"],
)
def test_fault_33_an_external_data_file_is_refused(write: Write, image: bytes) -> None:
    with pytest.raises(Invalid, match="external data file"):
        inspect(write(image), "qcow2")


@pytest.mark.parametrize(
    "descriptor",
    [
        b'# Disk DescriptorFile\nversion=1\nRW 1 FLAT "/etc/passwd" 0\n',
        b'\n# a comment\n\nversion=1\nRW 1 FLAT "/etc/passwd" 0\n',
        b"KDMV" + bytes(508),
        b"COWD" + bytes(508),
    ],
)
def test_fault_34_a_vmdk_is_refused(write: Write, descriptor: bytes) -> None:
    with pytest.raises(Invalid, match="bytes are vmdk"):
        inspect(write(descriptor), "raw")
    with pytest.raises(Invalid, match="not supported"):
        inspect(write(descriptor), "vmdk")


def test_fault_36_bytes_of_another_format_are_refused(write: Write) -> None:
    others = {
        "qcow2": qcow2(),
        "iso": ISO,
        "qed": b"QED\0" + bytes(512),
        "vhd": MBR + b"conectix" + bytes(504),
        "vhdx": b"vhdxfile" + bytes(512),
        "vdi": b"<<< Oracle VM VirtualBox Disk Image >>>\n".ljust(64, b"\0")
        + b"\x7f\x10\xda\xbe"
        + bytes(512),
        "luks": b"LUKS\xba\xbe" + bytes(512),
        "dmg": MBR + b"koly" + bytes(508),
        "parallels": b"WithoutFreeSpace" + bytes(512),
    }
    for name, content in others.items():
        for declared in set(FORMATS) - {name}:
            with pytest.raises(Invalid, match=f"bytes are {name}"):
                inspect(write(content), declared)


@pytest.mark.parametrize("declared", ["qcow2", "iso"])
def test_fault_36_raw_bytes_are_no_other_format(write: Write, declared: str) -> None:
    with pytest.raises(Invalid, match="bytes are not"):
        inspect(write(MBR + bytes(1 << 20)), declared)


def test_fault_36_bytes_of_two_formats_are_refused(write: Write) -> None:
    image = bytearray(qcow2())
    image[32769 : 32769 + 5] = b"CD001"
    for declared in FORMATS:
        with pytest.raises(Invalid, match="several formats at once: iso, qcow2"):
            inspect(write(bytes(image)), declared)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"virtual_size": 1 << 50, "l1_entries": 1 << 21}, "lie outside"),
        ({"virtual_size": 1 << 50}, "do not fit"),
        ({"virtual_size": 0}, "disk size is wrong"),
        ({"virtual_size": 1000}, "disk size is wrong"),
        ({"l1_entries": 10**6}, "lie outside"),
        ({"l1_entries": 2**32 - 1}, "do not fit"),
        ({"l1_entries": 1}, "do not fit"),
        ({"l1_offset": 0}, "lie outside"),
        ({"l1_offset": 3 * CLUSTER + 8}, "lie outside"),
        ({"l1_offset": 1 << 62}, "lie outside"),
        ({"refcount_offset": 64 * CLUSTER}, "lie outside"),
        ({"refcount_clusters": 0}, "lie outside"),
        ({"refcount_clusters": 2**32 - 1}, "lie outside"),
        ({"cluster_bits": 8}, "cluster size"),
        ({"cluster_bits": 2**31}, "cluster size"),
        ({"header_length": 8}, "header length"),
        ({"header_length": 105}, "header length"),
        ({"header_length": 2**32 - 8}, "run past"),
        ({"version": 1}, "version 1"),
        ({"version": 4}, "version 4"),
        ({"incompatible": 1 << 1}, "corrupt"),
        ({"incompatible": 1 << 63}, "unknown qcow2 features"),
        ({"crypt_method": 2}, "encrypted"),
    ],
)
def test_fault_37_a_header_that_cannot_be_is_refused(
    write: Write, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        inspect(write(qcow2(**changes)), "qcow2")


def test_fault_37_a_disk_over_the_limit_is_refused(tmp_path: Path, write: Write) -> None:
    create_blank(tmp_path / "disk", 17 << 40)
    with pytest.raises(Invalid, match="17408 GiB; the limit is 16384 GiB"):
        inspect(tmp_path / "disk", "qcow2")
    with pytest.raises(Invalid, match="limit is 0 GiB"):
        inspect(write(MBR), "raw", max_virtual_size=511)


@pytest.mark.parametrize(
    "extensions",
    [extension(0x12345678, bytes(8)) + b"\x01" * 65536, b"\0\0\0\1\xff\xff\xff\xff"],
)
def test_fault_37_extensions_end_in_the_first_cluster(write: Write, extensions: bytes) -> None:
    with pytest.raises(Invalid, match="run past"):
        inspect(write(qcow2()[:104] + extensions.ljust(CLUSTER, b"\x01") + bytes(1 << 20)), "qcow2")


@pytest.mark.parametrize("length", [4, 71, 72, 103])
def test_a_header_cut_short_is_refused(write: Write, length: int) -> None:
    with pytest.raises(Invalid):
        inspect(write(qcow2()[:length]), "qcow2")


@pytest.mark.parametrize("declared", [*FORMATS, "", "vhd", "QCOW2"])
def test_an_empty_image_and_a_strange_format_are_refused(write: Write, declared: str) -> None:
    with pytest.raises(Invalid):
        inspect(write(b""), declared)


def test_features_without_another_file_are_taken(write: Write) -> None:
    names = extension(0x6803F857, bytes(48))
    assert inspect(write(qcow2(names, incompatible=1 << 0 | 1 << 3)), "qcow2").virtual_size == GIB


def test_extended_l2_entries_need_twice_the_table(write: Write) -> None:
    with pytest.raises(Invalid, match="do not fit"):
        inspect(write(qcow2(incompatible=1 << 4, l1_entries=3)), "qcow2")
    assert inspect(write(qcow2(incompatible=1 << 4, l1_entries=4)), "qcow2").virtual_size == GIB


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(0, 160), junk=st.binary(min_size=1, max_size=16))
def test_fault_38_any_header_is_taken_or_refused(write: Write, at: int, junk: bytes) -> None:
    image = bytearray(qcow2())
    image[at : at + len(junk)] = junk
    for declared in FORMATS:
        try:
            facts = inspect(write(bytes(image)), declared)
        except Invalid:
            continue
        assert 0 < facts.virtual_size <= 16 << 40


def test_the_backing_file_of_our_own_disks_is_found(tmp_path: Path, write: Write) -> None:
    base = write(MBR)
    create_overlay(tmp_path / "overlay", base, "raw", GIB)
    create_blank(tmp_path / "blank", GIB)
    assert backing_file(tmp_path / "overlay") == str(base)
    assert backing_file(tmp_path / "blank") is None
