from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanok.model.create_rules import (
    GIB,
    ZERO_DISK,
    CreateRules,
    Root,
    check_counts,
    check_image,
    check_memory,
    check_metadata,
    check_size,
    further_devices,
    needed_gib,
    root_device,
    root_disk,
)
from hanok.model.devices import MOST
from hanok.model.errors import Forbidden, HanokError, Invalid, NotImplemented_, QuotaExceeded
from hanok.model.server_create import BlockDevice, ServerCreate
from tests.region_store import a_flavor, an_image

RULES = CreateRules(
    max_count=10, linux_root_gib=10, windows_root_gib=50, windows_ram_mib=2048, windows_name=15
)
LAX = CreateRules(
    max_count=None, linux_root_gib=0, windows_root_gib=0, windows_ram_mib=0, windows_name=0
)
ROOT = BlockDevice("image", "volume", source_id="i", boot_index=0, size_gib=10)
BLANK = BlockDevice("blank", "volume", size_gib=5)
COPY = BlockDevice("image", "volume", source_id="i", boot_index=1, size_gib=5)
VOLUME_FLAVOR = a_flavor(2)
LOCAL_FLAVOR = a_flavor(4, name="u2.c4m4", disk_gib=20)
IMAGE = an_image(1, size_bytes=GIB, virtual_bytes=2 * GIB)
WINDOWS = an_image(2, properties={"os_type": "Windows"}, virtual_bytes=GIB)


def asked(*devices: BlockDevice, **more: Any) -> ServerCreate:
    values = {"name": "web", "flavor_id": "f", "image_id": "i", "block_devices": devices, **more}
    return ServerCreate(**values)


@pytest.mark.parametrize(
    ("counts", "text"),
    [((2, 1), "min_count must be <= max_count"), ((1, 11), "greater than the maximum of 10")],
)
def test_counts_out_of_order_or_too_large_are_refused(counts: tuple[int, int], text: str) -> None:
    request = asked(min_count=counts[0], max_count=counts[1])
    with pytest.raises(Invalid, match=text):
        check_counts(request, RULES)


def test_counts_within_the_dialect_s_limit_pass() -> None:
    check_counts(asked(min_count=10, max_count=10), RULES)
    check_counts(asked(min_count=1, max_count=1000), LAX)


def test_the_number_of_one_of_several_belongs_to_its_name() -> None:
    check_counts(asked(name="n" * 255), RULES)
    check_counts(asked(name="n" * 252, max_count=10), RULES)
    for name, most in (("n" * 254, 2), ("n" * 253, 10)):
        with pytest.raises(Invalid, match="more than 255 characters"):
            check_counts(asked(name=name, max_count=most), RULES)


@pytest.mark.parametrize(
    "metadata",
    [{"": "v"}, {"k" * 256: "v"}, {"k": "v" * 256}, {"a/b": ""}, {"k\n": ""}, {"키": ""}],
)
def test_metadata_that_does_not_fit_is_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="255"):
        check_metadata(metadata, 1, 128)


def test_metadata_are_limited_by_their_number() -> None:
    check_metadata({"k" * 255: "v" * 255, "a_B-1: .": "값"}, 2, 2)
    with pytest.raises(QuotaExceeded, match="exceeds 1"):
        check_metadata({"a": ""}, 2, 1)


def test_metadata_without_a_limit_are_as_many_as_one_likes() -> None:
    check_metadata({}, 0, -1)
    check_metadata({"k": ""}, 500, -1)


def test_the_root_is_the_one_device_with_boot_index_0() -> None:
    assert root_device(asked()) is None
    assert root_device(asked(BLANK, ROOT, COPY)) is ROOT
    third, never = replace(COPY, boot_index=2), replace(COPY, boot_index=-1)
    assert root_device(asked(third, COPY, never, never, ROOT)) is ROOT


@pytest.mark.parametrize(
    ("devices", "error"),
    [
        ([BLANK], Invalid),
        ([ROOT, ROOT], Invalid),
        ([ROOT, COPY, COPY], Invalid),
        ([ROOT, replace(BLANK, boot_index=2)], Invalid),
        ([replace(ROOT, source="blank")], Invalid),
        ([replace(ROOT, source="volume")], NotImplemented_),
        ([ROOT, replace(COPY, source="snapshot")], NotImplemented_),
        ([replace(ROOT, encrypted=True)], NotImplemented_),
    ],
)
def test_what_cannot_be_booted_from_is_refused(
    devices: list[BlockDevice], error: type[HanokError]
) -> None:
    with pytest.raises(error):
        root_device(asked(*devices))


def test_further_devices_stand_in_their_boot_order_the_others_last() -> None:
    second, never = replace(COPY, boot_index=2), replace(COPY, boot_index=-1)
    found = further_devices(asked(never, BLANK, second, ROOT, COPY))
    assert found == [COPY, second, never, BLANK]


@pytest.mark.parametrize(
    ("device", "text"),
    [
        (replace(BLANK, destination="local"), "destination_type 'volume'"),
        (replace(BLANK, size_gib=None), "Blank volumes"),
        (replace(BLANK, size_gib=0), "Blank volumes"),
        (replace(BLANK, source_id="i"), "Invalid device UUID"),
        (replace(COPY, size_gib=None), "non-zero size"),
        (replace(COPY, source_id=None), "need an image"),
    ],
)
def test_a_further_device_needs_a_size_and_a_source(device: BlockDevice, text: str) -> None:
    with pytest.raises(Invalid, match=text):
        further_devices(asked(ROOT, device))


def test_a_server_has_at_most_26_disks() -> None:
    assert len(further_devices(asked(ROOT, *[BLANK] * (MOST - 1)))) == 25
    with pytest.raises(Forbidden, match="26"):
        further_devices(asked(ROOT, *[BLANK] * MOST))


def test_a_flavor_without_disk_has_its_root_on_a_volume() -> None:
    device = replace(ROOT, volume_type="General HDD", delete_on_termination=True)
    assert root_disk(device, VOLUME_FLAVOR) == Root("volume", 10, "General HDD", True)
    for local in (None, replace(ROOT, destination="local")):
        with pytest.raises(Forbidden) as caught:
            root_disk(local, VOLUME_FLAVOR)
        assert caught.value.message == ZERO_DISK
    with pytest.raises(Invalid, match="non-zero size"):
        root_disk(replace(ROOT, size_gib=None), VOLUME_FLAVOR)


def test_a_flavor_with_a_disk_has_its_root_on_the_host() -> None:
    own = Root("local", 20, None, True)
    assert root_disk(None, LOCAL_FLAVOR) == own
    asked_for_more = replace(ROOT, destination="local", size_gib=500)
    assert root_disk(asked_for_more, LOCAL_FLAVOR) == own
    with pytest.raises(Invalid, match="must be 'local'"):
        root_disk(ROOT, LOCAL_FLAVOR)


@pytest.mark.parametrize(
    ("image", "root", "text"),
    [
        (replace(IMAGE, status="queued"), Root("volume", 10, None, False), "not active"),
        (replace(IMAGE, min_ram_mib=4096), Root("volume", 10, None, False), "memory is too small"),
        (replace(IMAGE, min_disk_gib=11), Root("volume", 10, None, False), "smaller than the 11"),
        (replace(IMAGE, virtual_bytes=10 * GIB + 1), Root("volume", 10, None, False), "the 11 GB"),
        (replace(IMAGE, min_disk_gib=21), Root("local", 20, None, True), "disk is too small"),
        (IMAGE, Root("volume", 9, None, False), "at least 10 GB"),
    ],
)
def test_what_an_image_needs_is_checked(image: Any, root: Root, text: str) -> None:
    with pytest.raises(Invalid, match=text):
        check_image(asked(ROOT), RULES, VOLUME_FLAVOR, image, root)


def test_an_image_that_fits_passes() -> None:
    check_image(asked(ROOT), RULES, VOLUME_FLAVOR, IMAGE, Root("volume", 10, None, False))
    check_image(asked(), LAX, LOCAL_FLAVOR, IMAGE, Root("local", 2, None, True))


@pytest.mark.parametrize(
    ("flavor", "root", "name", "text"),
    [
        (LOCAL_FLAVOR, Root("local", 50, None, True), "web", "U2"),
        (a_flavor(1), Root("volume", 50, None, False), "web", "2048 MB"),
        (VOLUME_FLAVOR, Root("volume", 49, None, False), "web", "at least 50 GB"),
        (VOLUME_FLAVOR, Root("volume", 50, None, False), "w" * 16, "at most 15 characters"),
    ],
)
def test_windows_has_rules_of_its_own(flavor: Any, root: Root, name: str, text: str) -> None:
    with pytest.raises(Invalid, match=text):
        check_image(asked(ROOT, name=name), RULES, flavor, WINDOWS, root)


def test_the_number_of_one_of_several_counts_for_windows_too() -> None:
    root = Root("volume", 50, None, False)
    check_image(asked(ROOT, name="w" * 13, max_count=9), RULES, VOLUME_FLAVOR, WINDOWS, root)
    several = asked(ROOT, name="w" * 13, max_count=10)
    with pytest.raises(Invalid, match="at most 15 characters"):
        check_image(several, RULES, VOLUME_FLAVOR, WINDOWS, root)


def test_windows_passes_with_enough_of_everything_and_where_a_dialect_has_no_rules() -> None:
    root = Root("volume", 50, None, False)
    check_image(asked(ROOT, name="w" * 15), RULES, VOLUME_FLAVOR, WINDOWS, root)
    check_image(asked(name="w" * 200), LAX, LOCAL_FLAVOR, WINDOWS, Root("local", 20, None, True))


@given(st.integers(0, 2**45), st.integers(0, 100))
def test_the_needed_size_holds_every_byte_and_no_gib_more(virtual: int, least: int) -> None:
    image = replace(IMAGE, virtual_bytes=virtual, min_disk_gib=least)
    needed = needed_gib(image)
    assert needed * GIB >= virtual
    assert needed >= least
    assert needed == least or (needed - 1) * GIB < virtual
    check_size(image, needed)
    if needed:
        with pytest.raises(Invalid):
            check_size(image, needed - 1)


def test_an_image_of_unknown_size_needs_its_minimum() -> None:
    assert needed_gib(replace(IMAGE, virtual_bytes=None, min_disk_gib=7)) == 7


def test_a_flavor_has_the_memory_that_image_and_system_ask_for() -> None:
    small, large = a_flavor(1), a_flavor(2)
    check_memory(RULES, small, 1024, {"os_type": "linux"})
    check_memory(RULES, large, 2048, {"os_type": "windows"})
    with pytest.raises(Invalid, match="too small for requested image"):
        check_memory(RULES, small, 1025, {})
    with pytest.raises(Invalid, match="at least 2048 MB of RAM"):
        check_memory(RULES, small, 0, {"os_type": "Windows"})
    check_memory(LAX, small, 0, {"os_type": "Windows"})
