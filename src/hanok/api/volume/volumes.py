"""Volumes: list, get, delete, in Cinder's forms."""

from __future__ import annotations

import json
from typing import Any

from hanok.api import _paging
from hanok.api._call import Answer, Call
from hanok.model.errors import Invalid, NotFound
from hanok.model.moments import iso_micro
from hanok.model.volume import Volume, VolumeAttachment
from hanok.operations import delete_volume
from hanok.store import volumes
from hanok.store.database import Reader

DELETABLE = ("available", "error", "error_deleting")


def _links(call: Call, version: str, volume_id: str) -> list[dict[str, str]]:
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
        "name": volume.name,
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
        "replication_status": None,
        "user_id": volume.user_id,
        "os-vol-tenant-attr:tenant_id": volume.project_id,
        "created_at": iso_micro(volume.created_at),
        "updated_at": iso_micro(volume.updated_at),
        "links": _links(call, version, volume.id),
        "attachments": [_attachment(one) for one in attachments],
    }
    if volume.image_id is not None:
        body["volume_image_metadata"] = {**volume.image_metadata, "image_id": volume.image_id}
    return body


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


def listed(call: Call, *, version: str, long: bool) -> Answer:
    """Serve GET volumes and volumes/detail: the newest first, with the filters clients send."""
    page = _paging.page(call.query)
    everyone = call.credentials.is_admin and bool(call.query.flag("all_tenants"))
    with call.region.store.read() as reader:
        known = volumes.listed(reader, None if everyone else call.credentials.project_id)
    found = [item for item in known if _matches(call, item[0])]
    if page.marker is not None:
        ids = [volume.id for volume, _ in found]
        if page.marker not in ids:
            raise Invalid(f"marker [{page.marker}] not found")
        found = found[ids.index(page.marker) + 1 :]
    shown = found[: page.limit]
    body: dict[str, Any] = {
        "volumes": [
            view(call, version, volume, attachments)
            if long
            else {
                "id": volume.id,
                "name": volume.name,
                "links": _links(call, version, volume.id),
            }
            for volume, attachments in shown
        ]
    }
    if len(found) > page.limit and shown:
        base = call.base.service(call.region.name, "volume")
        path = f"{version}/{call.credentials.project_id}/volumes{'/detail' if long else ''}"
        body["volumes_links"] = _paging.next_links(call.query, shown[-1][0].id, f"{base}/{path}")
    return Answer(200, body)


def _matches(call: Call, volume: Volume) -> bool:
    for name, wanted in call.query:
        if name in ("name", "status", "id", "availability_zone", "volume_type"):
            if str(getattr(volume, name)) != wanted:
                return False
        elif name == "bootable":
            if volume.bootable != (wanted.lower() == "true"):
                return False
        elif name == "metadata" and not _has(volume.metadata, wanted):
            return False
    return True


def _has(metadata: dict[str, str], wanted: str) -> bool:
    try:
        pairs = json.loads(wanted.replace("'", '"'))
    except (ValueError, RecursionError) as error:
        raise Invalid("Invalid metadata filter: it is not an object of keys and values.") from error
    if not isinstance(pairs, dict):
        raise Invalid("Invalid metadata filter: it is not an object of keys and values.")
    return all(metadata.get(key) == str(value) for key, value in pairs.items())


def find(reader: Reader, call: Call) -> tuple[Volume, list[VolumeAttachment]]:
    """Return the volume that the path names; raises NotFound."""
    volume_id = call.params["volume"]
    volume = volumes.find(reader, volume_id)
    if volume is None or volume.project_id != call.credentials.project_id:
        raise NotFound(f"Volume {volume_id} could not be found.")
    return volume, volumes.attachments_of(reader, volume_id)


def show(call: Call, *, version: str) -> Answer:
    """Serve GET volumes/{id}."""
    with call.region.store.read() as reader:
        volume, attachments = find(reader, call)
    return Answer(200, {"volume": view(call, version, volume, attachments)})


def delete(call: Call) -> Answer:
    """Serve DELETE volumes/{id}: 202; only of what nobody uses."""
    region = call.region
    with region.store.write() as tx:
        volume, attachments = find(tx, call)
        if volume.status not in DELETABLE or attachments:
            raise Invalid(
                "Invalid volume: Volume status must be available or error or error_deleting and "
                "must not be migrating, attached, belong to a group, have snapshots or be "
                f"disassociated from snapshots after volume transfer; it is {volume.status}."
            )
        volumes.set_status(tx, volume.id, "deleting", region.clock.now())
        delete_volume.submit(tx, region.engine, volume)
    return Answer(202)
