"""Register an image; its bytes follow (Glance: "Create image")."""

from __future__ import annotations

import re
from typing import Any

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.image.attributes import ATTRIBUTES, read_attribute, read_properties
from hanok.api.image.view import view_image
from hanok.model.errors import Conflict, Invalid
from hanok.model.image import Image
from hanok.store import images

_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def _create(call: Call) -> Answer:
    asked = decode(call.body, dict[str, Any])
    image = _image(call, asked)
    with call.region.store.write() as tx:
        if not images.add_new(tx, image):
            raise Conflict(f"Image ID {image.id} already exists!")
    address = f"{call.base.service(call.region.name, 'image')}/v2/images/{image.id}"
    return Answer(201, view_image(image), headers={"Location": address})


def _image(call: Call, asked: dict[str, Any]) -> Image:
    """Make a queued image of the caller's project from what was asked for."""
    now = call.region.clock.now()
    values: dict[str, Any] = {
        "name": None,
        "project_id": call.credentials.project_id,
        "visibility": "shared",
        "protected": False,
        "disk_format": None,
        "container_format": None,
        "min_disk_gib": 0,
        "min_ram_mib": 0,
        "tags": [],
    }
    image_id = asked.pop("id", None)
    check_hidden(asked.pop("os_hidden", False))
    for name in ATTRIBUTES.keys() & asked.keys():
        value = asked.pop(name)
        if name != "owner" or value != call.credentials.project_id:
            field, read = read_attribute(name, value, is_admin=call.credentials.is_admin)
            values[field] = read
    return Image(
        id=call.region.clock.new_id() if image_id is None else _id(image_id),
        status="queued",
        size_bytes=None,
        virtual_bytes=None,
        checksum=None,
        properties=read_properties(asked),
        created_at=now,
        updated_at=now,
        **values,
    )


def _id(value: Any) -> str:
    if not (isinstance(value, str) and _UUID.fullmatch(value)):
        raise Invalid("Attribute 'id' is a UUID of 36 characters.")
    return value.lower()


def check_hidden(value: Any) -> None:
    """Raise Invalid unless the image stays in lists: hiding images is not offered."""
    if value is not False:
        raise Invalid("Attribute 'os_hidden' can only be false: images are not hidden here.")


ENDPOINTS = (Endpoint("POST", "/v2/images", _create, "images:write"),)
