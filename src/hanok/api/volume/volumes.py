"""Volumes: how they look, get, delete, in Cinder's forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hanok.api._call import Answer, Call
from hanok.model.errors import Invalid, NotFound
from hanok.model.moments import iso_micro
from hanok.model.volume import Volume, VolumeAttachment, VolumeType
from hanok.operations import delete_volume
from hanok.store import volumes
from hanok.store.database import Reader

DELETABLE = ("available", "error", "error_deleting")


_FLAGS: Mapping[Any, bool] = {
    **dict.fromkeys((True, "true", "1", "on", "yes"), True),
    **dict.fromkeys((False, "false", "0", "off", "no", None), False),
}


def flag(name: str, value: bool | str | int | None) -> bool:
    """Read a boolean as Cinder's requests may write it; absent is false. Raises Invalid."""
    wanted = value.lower() if isinstance(value, str) else value
    if wanted not in _FLAGS:
        raise Invalid(f"Invalid input for field/attribute {name}. Value: {value}. It is a boolean.")
    return _FLAGS[wanted]


def links(call: Call, version: str, volume_id: str) -> list[dict[str, str]]:
    """Return a volume's two links, `self` first."""
    base = call.base.service(call.region.name, "volume")
    project = call.credentials.project_id
    return [
        {"rel": "self", "href": f"{base}/{version}/{project}/volumes/{volume_id}"},
        {"rel": "bookmark", "href": f"{base}/{project}/volumes/{volume_id}"},
    ]


def view(
    call: Call, version: str, volume: Volume, attachments: list[VolumeAttachment]
) -> dict[str, Any]:
    """Return a volume as JSON-able values."""
    body: dict[str, Any] = {
        "id": volume.id,
        "name": volume.name or None,
        "description": volume.description,
        "status": volume.status,
        "size": volume.size_gib,
        "volume_type": volume.volume_type,
        "availability_zone": volume.availability_zone,
        "bootable": "true" if volume.bootable else "false",
        "encrypted": False,
        "multiattach": False,
        "metadata": volume.metadata,
        "snapshot_id": None,
        "source_volid": None,
        "consistencygroup_id": None,
        "replication_status": "disabled",
        "os-volume-replication:extended_status": None,
        "os-volume-replication:driver_data": None,
        "user_id": volume.user_id,
        "os-vol-tenant-attr:tenant_id": volume.project_id,
        "created_at": iso_micro(volume.created_at),
        "updated_at": iso_micro(volume.updated_at),
        "links": links(call, version, volume.id),
        "attachments": [_attachment(one) for one in attachments],
    }
    if volume.image_id is not None:
        body["volume_image_metadata"] = {**volume.image_metadata, "image_id": volume.image_id}
    return body


def view_type(one: VolumeType) -> dict[str, Any]:
    """Return a volume type as JSON-able values."""
    return {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "is_public": one.is_public,
        "os-volume-type-access:is_public": one.is_public,
        "qos_specs_id": None,
        "extra_specs": one.extra_specs,
    }


def _attachment(one: VolumeAttachment) -> dict[str, Any]:
    return {
        "id": one.volume_id,
        "attachment_id": one.volume_id,
        "volume_id": one.volume_id,
        "server_id": one.server_id,
        "device": f"/dev/{one.device}",
        "host_name": None,
        "attached_at": iso_micro(one.attached_at),
    }


def find(reader: Reader, call: Call) -> tuple[Volume, list[VolumeAttachment]]:
    """Return the volume that the path names (an administrator's: anybody's); raises NotFound."""
    volume_id = call.params["volume"]
    credentials = call.credentials
    found = volumes.get(reader, None if credentials.is_admin else credentials.project_id, volume_id)
    if found is None:
        raise NotFound(f"Volume {volume_id} could not be found.")
    return found


def show(call: Call, *, version: str) -> Answer:
    """Serve GET volumes/{id}."""
    with call.region.store.read() as reader:
        volume, attachments = find(reader, call)
    return Answer(200, {"volume": view(call, version, volume, attachments)})


def delete(call: Call) -> Answer:
    """Serve DELETE volumes/{id}: 202; only of what nobody uses."""
    region = call.region
    with region.store.write() as tx:
        volume, _ = find(tx, call)
        if not volumes.begin_delete(tx, volume.id, DELETABLE, region.clock.now()):
            raise Invalid(
                "Invalid volume: Volume status must be available or error or error_deleting and "
                "must not be migrating, attached, belong to a group, have snapshots or be "
                f"disassociated from snapshots after volume transfer; it is {volume.status}."
            )
        delete_volume.submit(tx, region.engine, volume)
    return Answer(202)
