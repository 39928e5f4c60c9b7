"""JSON schemas of an image and of a list of them, which OpenStack's image client asks for."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call, Endpoint
from hanok.model.image import CONTAINER_FORMATS, DISK_FORMATS, STATUSES, VISIBILITIES

_TEXT: dict[str, Any] = {"type": ["null", "string"], "maxLength": 255}
_READ_ONLY: dict[str, Any] = {"readOnly": True}
_MOMENT: dict[str, Any] = {"type": "string", **_READ_ONLY}
_NUMBER: dict[str, Any] = {"type": "integer"}
_SIZE: dict[str, Any] = {"type": ["null", "integer"], **_READ_ONLY}
_PATH: dict[str, Any] = {"type": "string", **_READ_ONLY}
_UUID = "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"

IMAGE: dict[str, Any] = {
    "name": "image",
    "properties": {
        "id": {"type": "string", "pattern": _UUID},
        "name": _TEXT,
        "status": {
            "type": "string",
            "enum": [*STATUSES],
            **_READ_ONLY,
        },
        "visibility": {"type": "string", "enum": [*VISIBILITIES]},
        "protected": {"type": "boolean"},
        "os_hidden": {"type": "boolean"},
        "owner": _TEXT,
        "disk_format": {"type": ["null", "string"], "enum": [None, *DISK_FORMATS]},
        "container_format": {"type": ["null", "string"], "enum": [None, *CONTAINER_FORMATS]},
        "size": _SIZE,
        "virtual_size": _SIZE,
        "min_disk": _NUMBER,
        "min_ram": _NUMBER,
        "checksum": {**_TEXT, **_READ_ONLY},
        "os_hash_algo": {**_TEXT, **_READ_ONLY},
        "os_hash_value": {**_TEXT, **_READ_ONLY},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 255}},
        "created_at": _MOMENT,
        "updated_at": _MOMENT,
        "self": _PATH,
        "file": _PATH,
        "schema": _PATH,
    },
    "additionalProperties": {"type": "string"},
    "links": [
        {"rel": "self", "href": "{self}"},
        {"rel": "enclosure", "href": "{file}"},
        {"rel": "describedby", "href": "{schema}"},
    ],
}
IMAGES: dict[str, Any] = {
    "name": "images",
    "properties": {
        "images": {"type": "array", "items": IMAGE},
        "first": {"type": "string"},
        "next": {"type": "string"},
        "schema": {"type": "string"},
    },
    "links": [
        {"rel": "first", "href": "{first}"},
        {"rel": "next", "href": "{next}"},
        {"rel": "describedby", "href": "{schema}"},
    ],
}


def _image(_call: Call) -> Answer:
    return Answer(200, IMAGE)


def _images(_call: Call) -> Answer:
    return Answer(200, IMAGES)


ENDPOINTS = (
    Endpoint("GET", "/v2/schemas/image", _image, "images:read"),
    Endpoint("GET", "/v2/schemas/images", _images, "images:read"),
)
