from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from hanok.operations.intent import ServerIntent
from tests.operations.test_create_server import INTENT

LATER = replace(
    INTENT,
    zone="kr-pub-a",
    group_ids=("g",),
    key_name="k",
    public_key="ssh-ed25519 A",
    launch_index=2,
    metadata={"글": "x"},
    image_metadata={"os_type": "linux"},
)


@pytest.mark.parametrize("intent", [INTENT, LATER])
def test_it_comes_out_of_the_journal_as_it_went_in(intent: ServerIntent) -> None:
    stored = msgspec.json.encode(msgspec.to_builtins(intent))
    assert msgspec.convert(msgspec.json.decode(stored), ServerIntent) == intent


def test_what_an_older_release_stored_without_today_s_extras_is_understood() -> None:
    stored = msgspec.to_builtins(INTENT)
    for name in ("group_ids", "key_name", "public_key", "launch_index", "metadata"):
        del stored[name]
    assert msgspec.convert(stored, ServerIntent) == INTENT


def test_the_root_is_what_is_booted_from() -> None:
    assert INTENT.root.disk_id == "d-root"
    assert INTENT.root.boot_index == 0


def test_a_volume_is_described_where_it_was_placed() -> None:
    volume = LATER.volume(LATER.root, "h", "kr-pub-a", 7)
    assert (volume.id, volume.project_id, volume.user_id) == (
        *("d-root", LATER.project_id, LATER.user_id),
    )
    assert (volume.status, volume.size_gib, volume.bootable) == ("creating", 10, True)
    assert (volume.host_id, volume.availability_zone, volume.created_at) == ("h", "kr-pub-a", 7)
    assert volume.image_metadata == {"os_type": "linux"}


@pytest.mark.parametrize(("image_id", "bootable"), [(None, False), ("other", True)])
def test_only_a_copy_of_the_server_s_image_has_that_image_s_facts(
    image_id: str | None, bootable: bool
) -> None:
    disk = replace(LATER.root, image_id=image_id)
    volume = LATER.volume(disk, "h", "kr-pub-a", 7)
    assert (volume.bootable, volume.image_id, volume.image_metadata) == (bootable, image_id, {})
