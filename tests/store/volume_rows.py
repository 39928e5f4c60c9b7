"""Volumes to put into a region's store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hanok.model.volume import Volume, VolumeAttachment
from tests.region_store import MINE, NOW, uuid


def a_volume(number: int, **changes: Any) -> Volume:
    """A volume of MINE; the higher the number, the newer."""
    made = Volume(
        id=uuid(number),
        project_id=MINE,
        user_id="1" * 32,
        name=f"volume-{number}",
        description=None,
        status="available",
        size_gib=number,
        volume_type="General SSD",
        availability_zone="kr-pub-a",
        host_id=None,
        bootable=False,
        image_id=None,
        image_metadata={},
        metadata={},
        created_at=NOW + number,
        updated_at=NOW + number,
    )
    return replace(made, **changes)


def an_attachment(volume: int, server: int, **changes: Any) -> VolumeAttachment:
    made = VolumeAttachment(
        volume_id=uuid(volume),
        server_id=uuid(server),
        device="vdb",
        boot_index=None,
        delete_on_termination=False,
        attached_at=NOW,
    )
    return replace(made, **changes)
