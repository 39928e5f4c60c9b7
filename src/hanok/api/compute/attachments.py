"""The block storage attached to a server: list and get (attach and detach are further down)."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call, Endpoint
from hanok.api.compute.servers import find
from hanok.model.errors import NotFound
from hanok.model.volume import VolumeAttachment
from hanok.store import volumes

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
    limit = call.query.integer("limit")
    offset = call.query.integer("offset") or 0
    page = _known(call)[offset : None if limit is None else offset + limit]
    return Answer(200, {"volumeAttachments": [view(one) for one in page]})


def _show(call: Call) -> Answer:
    wanted = call.params["volume"]
    for one in _known(call):
        if one.volume_id == wanted:
            return Answer(200, {"volumeAttachment": view(one)})
    raise NotFound(f"Instance {call.params['server']} is not attached to volume {wanted}")


ENDPOINTS = (
    Endpoint("GET", ROOT, _list, "servers:read"),
    Endpoint("GET", f"{ROOT}/{{volume}}", _show, "servers:read"),
)
