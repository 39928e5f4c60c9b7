"""`POST volumes/{id}/action` with `os-volume_upload_image`: make an image of a volume."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import msgspec

from hanok.api._body import decode
from hanok.api._call import Answer, Call
from hanok.api.image.attributes import read_attribute
from hanok.api.volume.volumes import find, flag, view_type
from hanok.model import lifecycle
from hanok.model.errors import Invalid
from hanok.model.image import Image
from hanok.model.moments import iso_micro
from hanok.model.server import Server
from hanok.model.volume import Volume, VolumeAttachment
from hanok.operations import upload_volume
from hanok.store import images, servers, volumes
from hanok.store.database import Transaction

UPLOAD = "os-volume_upload_image"
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _Asked(msgspec.Struct):
    """What Cinder reads; absent formats are its defaults."""

    image_name: _Name
    force: bool | str | int | None = None
    disk_format: str | None = None
    container_format: str | None = None
    visibility: str | None = None
    protected: bool | str | int | None = None


class _Upload(msgspec.Struct):
    asked: _Asked = msgspec.field(name=UPLOAD)


def act(call: Call) -> Answer:
    """Serve POST volumes/{id}/action: 202 with the image that is being made.

    A volume that is attached is read with `force` alone, from a server that rests; one that runs
    is held still meanwhile, so that the image is what a power cut would have left.
    """
    named = list(decode(call.body, dict[str, Any]))
    if named != [UPLOAD]:
        raise Invalid(
            f"There is no such action: {named[0][:60]}. Of volumes there is {UPLOAD}."
            if len(named) == 1
            else "Malformed request body: it names one action."
        )
    asked = decode(call.body, _Upload).asked
    region, now = call.region, call.region.clock.now()
    with region.store.write() as tx:
        volume, attachments = find(tx, call)
        image = _image(call, volume, asked)
        server = _reserve(tx, volume, attachments, force=flag("force", asked.force), now=now)
        images.add(tx, image)
        upload = upload_volume.Upload(volume, image.id, str(image.disk_format), server)
        upload_volume.submit(tx, region.engine, upload)
        kinds = {one.name: view_type(one) for one in volumes.types(tx)}
    kind = kinds.get(volume.volume_type)
    return Answer(202, {UPLOAD: _view(replace(volume, updated_at=now), kind, image)})


def _reserve(
    tx: Transaction, volume: Volume, attachments: list[VolumeAttachment], *, force: bool, now: int
) -> Server | None:
    """Set the volume `uploading` and return the server that has it; raises Invalid, Conflict."""
    server = servers.hold(tx, None, attachments[0].server_id) if attachments else None
    allowed = ("available", "in-use") if force else ("available",)
    if not volumes.begin(tx, volume.id, upload_volume.DURING, allowed, now):
        raise Invalid(
            f"Invalid volume: Volume {volume.id} status must be {' or '.join(allowed)}, but "
            f"current status is: {volume.status}."
        )
    if server is not None:
        lifecycle.check(lifecycle.ACTIONS["createImage"], server)
    return server


def _image(call: Call, volume: Volume, asked: _Asked) -> Image:
    """Describe the image to be: what is said of the volume's own image goes on holding."""
    now = call.region.clock.now()
    given = {
        "disk_format": asked.disk_format or "raw",
        "container_format": asked.container_format or "bare",
        "visibility": asked.visibility or "private",
        "protected": flag("protected", asked.protected),
    }
    is_admin = call.credentials.is_admin
    read = [read_attribute(name, value, is_admin=is_admin) for name, value in given.items()]
    return Image(
        id=call.region.clock.new_id(),
        name=asked.image_name,
        project_id=volume.project_id,
        status="queued",
        size_bytes=None,
        virtual_bytes=None,
        checksum=None,
        min_disk_gib=volume.size_gib,
        min_ram_mib=0,
        properties=dict(volume.image_metadata),
        tags=[],
        created_at=now,
        updated_at=now,
        **dict(read),
    )


def _view(volume: Volume, kind: dict[str, Any] | None, image: Image) -> dict[str, Any]:
    """Return what Cinder tells of an upload; the volume's type is an object here alone."""
    return {
        "id": volume.id,
        "updated_at": iso_micro(volume.updated_at),
        "status": upload_volume.DURING,
        "display_description": volume.description,
        "size": volume.size_gib,
        "volume_type": kind,
        "image_id": image.id,
        "image_name": image.name,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "visibility": image.visibility,
        "protected": image.protected,
    }
