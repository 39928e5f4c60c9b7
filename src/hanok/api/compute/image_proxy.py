"""Images as the compute service shows them (Nova's image proxy), which Terraform reads."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call, Endpoint
from hanok.api.compute.links import links_of
from hanok.model.errors import NotFound
from hanok.model.image import Image
from hanok.model.moments import iso
from hanok.store import images

_STATUS = {
    "active": "ACTIVE",
    "queued": "SAVING",
    "saving": "SAVING",
    "deleted": "DELETED",
    "pending_delete": "DELETED",
    "killed": "ERROR",
}
_PROGRESS = {"queued": 25, "saving": 50, "active": 100}


def _show(call: Call) -> Answer:
    credentials = call.credentials
    project = None if credentials.is_admin else credentials.project_id
    with call.region.store.read() as reader:
        image = images.get(reader, call.params["image"], project)
    if image is None:
        raise NotFound("Image not found.")
    return Answer(200, {"image": _view(call, image)})


def _view(call: Call, image: Image) -> dict[str, Any]:
    service = call.base.service(call.region.name, "image")
    alternate = {
        "rel": "alternate",
        "type": "application/vnd.openstack.image",
        "href": f"{service}/v2/images/{image.id}",
    }
    return {
        "id": image.id,
        "name": image.name,
        "status": _STATUS.get(image.status, "UNKNOWN"),
        "progress": _PROGRESS.get(image.status, 0),
        "minDisk": image.min_disk_gib,
        "minRam": image.min_ram_mib,
        "created": iso(image.created_at),
        "updated": iso(image.updated_at),
        "metadata": {name: str(value) for name, value in image.properties.items()},
        "links": [*links_of(call, "/v2").both("images", image.id), alternate],
        "OS-EXT-IMG-SIZE:size": image.size_bytes or 0,
    }


ENDPOINTS = (Endpoint("GET", "/v2/{tenant}/images/{image}", _show, "images:read"),)
