"""The block storage attached to a server: list, get, attach, detach."""

from __future__ import annotations

import string
from typing import Annotated, Any
from uuid import UUID

import msgspec

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.compute.servers import find, find_to_change
from hanok.model import lifecycle
from hanok.model.devices import ROOT as ROOT_DEVICE
from hanok.model.devices import lowest_free
from hanok.model.errors import Conflict, Invalid, NotFound
from hanok.model.server import Server
from hanok.model.volume import Volume, VolumeAttachment
from hanok.operations import attach_volume, detach_volume
from hanok.store import volumes
from hanok.store.database import Reader

_Path = Annotated[str, msgspec.Meta(pattern=r"^(/dev/x?[a-z]?d?[a-z]+[0-9]*)?$")]
"""Nova's pattern; an empty path is none."""
ROOT = "/v2/{tenant}/servers/{server}/os-volume_attachments"


def view(attachment: VolumeAttachment) -> dict[str, Any]:
    """Return an attachment; its id is the volume's (the guide's examples)."""
    return {
        "id": attachment.volume_id,
        "device": f"/dev/{attachment.device}",
        "serverId": attachment.server_id,
        "volumeId": attachment.volume_id,
    }


def _known(call: Call) -> list[VolumeAttachment]:
    """Return the attachments in the order of their devices, the root disk's first."""
    with call.region.store.read() as reader:
        server = find(reader, call)
        found = [attachment for attachment, _ in volumes.of_server(reader, server.id)]
    return sorted(found, key=lambda one: (len(one.device), one.device))


def _list(call: Call) -> Answer:
    """List from `offset` on, at most `limit`; a limit of 0 is none (Nova)."""
    limit = call.query.integer("limit")
    offset = call.query.integer("offset") or 0
    page = _known(call)[offset : offset + limit if limit else None]
    return Answer(200, {"volumeAttachments": [view(one) for one in page]})


def _show(call: Call) -> Answer:
    wanted = call.params["volume"]
    for one in _known(call):
        if one.volume_id == wanted:
            return Answer(200, {"volumeAttachment": view(one)})
    raise NotFound(f"Instance {call.params['server']} is not attached to volume {wanted}")


class _Attachment(msgspec.Struct):
    volume: UUID = msgspec.field(name="volumeId")
    device: _Path | None = None


class _Attach(msgspec.Struct):
    attachment: _Attachment = msgspec.field(name="volumeAttachment")


def _volume(reader: Reader, server: Server, volume_id: str) -> Volume:
    volume = volumes.find(reader, volume_id)
    if volume is None or volume.project_id != server.project_id:
        raise NotFound(f"Volume {volume_id} could not be found.")
    return volume


def _attach(call: Call) -> Answer:
    """Attach: 200 with the device at once, the effect follows; ten at once all succeed.

    The device is the lowest free letter; one that is asked for is taken when it is free.
    """
    asked = decode(call.body, _Attach).attachment
    region = call.region
    now = region.clock.now()
    with region.store.write() as tx:
        server = find_to_change(tx, call)
        lifecycle.check(lifecycle.ACTIONS["attach_volume"], server)
        volume = _volume(tx, server, str(asked.volume))
        if not volumes.begin(tx, volume.id, "attaching", ("available",), now):
            raise Invalid(
                f"Invalid volume: volume {volume.id} status must be available or downloading to "
                f"reserve, but the current status is {_status(tx, volume)}."
            )
        _check_place(volume, server)
        taken = {one.device for one, _ in volumes.of_server(tx, server.id)}
        attachment = VolumeAttachment(
            volume_id=volume.id,
            server_id=server.id,
            device=_device(asked.device, taken),
            boot_index=None,
            delete_on_termination=False,
            attached_at=now,
        )
        volumes.attach(tx, attachment)
        attach_volume.submit(tx, region.engine, server, volume, attachment.device)
    return Answer(200, {"volumeAttachment": view(attachment)})


def _status(reader: Reader, volume: Volume) -> str:
    """Return a volume's status now; another request may have changed it since it was read."""
    found = volumes.find(reader, volume.id)
    return "deleted" if found is None else found.status


def _check_place(volume: Volume, server: Server) -> None:
    if volume.availability_zone != server.availability_zone:
        raise Invalid(
            "Invalid volume: Instance and volume not in same availability_zone. Instance is in "
            f"{server.availability_zone}. Volume is in {volume.availability_zone}"
        )


def _device(asked: str | None, taken: set[str]) -> str:
    """Return the name asked for when it is one of ours and free, the lowest free one otherwise."""
    name = (asked or "").removeprefix("/dev/")
    if name in taken or name == ROOT_DEVICE:
        raise Conflict(f"The supplied device path (/dev/{name}) is in use.")
    if name.startswith("vd") and len(name) == 3 and name[2] in string.ascii_lowercase[1:]:
        return name
    return lowest_free(taken)


def _detach(call: Call) -> Answer:
    """Detach: 202; the root disk stays (400)."""
    region = call.region
    now = region.clock.now()
    with region.store.write() as tx:
        server = find_to_change(tx, call)
        lifecycle.check(lifecycle.ACTIONS["detach_volume"], server)
        volume = _volume(tx, server, call.params["volume"])
        attached = [one for one, v in volumes.of_server(tx, server.id) if v.id == volume.id]
        if not attached:
            raise NotFound(f"Instance {server.id} is not attached to volume {volume.id}")
        if attached[0].boot_index == 0:
            raise Invalid("Cannot detach a root device volume")
        if not volumes.begin(tx, volume.id, "detaching", ("in-use",), now):
            raise Invalid(
                f"Invalid volume: Invalid input received: Invalid volume: Unable to detach "
                f"volume. Volume status must be 'in-use'; it is '{_status(tx, volume)}'."
            )
        detach_volume.submit(tx, region.engine, server, volume)
    return Answer(202)


ENDPOINTS = (
    Endpoint("GET", ROOT, _list, "servers:read"),
    Endpoint("GET", f"{ROOT}/{{volume}}", _show, "servers:read"),
    Endpoint("POST", ROOT, _attach, "servers:actions"),
    Endpoint("DELETE", f"{ROOT}/{{volume}}", _detach, "servers:actions"),
)
