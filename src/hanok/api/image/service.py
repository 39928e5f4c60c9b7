"""The image service: discovery, list and get, as Glance v2 answers.

Properties lie flat on the image. A project sees public images and its own.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from hanok.api import _paging
from hanok.api._call import Answer, Call, Endpoint, Service
from hanok.api._errors import image_shape
from hanok.model.errors import Invalid, NotFound
from hanok.model.image import Image
from hanok.model.moments import iso
from hanok.store import images

_CONTROLS = frozenset(
    {"limit", "marker", "sort", "sort_key", "sort_dir", "member_status", "tag", "fields"}
)
_SORTABLE = frozenset(
    {"id", "name", "status", "created_at", "updated_at", "size", "disk_format", "container_format"}
)


def view(image: Image) -> dict[str, Any]:
    """Return an image as JSON-able values."""
    return {
        **{name: value for name, value in image.properties.items()},
        "id": image.id,
        "name": image.name,
        "status": image.status,
        "visibility": image.visibility,
        "protected": image.protected,
        "owner": image.project_id,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "size": image.size_bytes,
        "virtual_size": image.virtual_bytes,
        "checksum": image.checksum,
        "min_disk": image.min_disk_gib,
        "min_ram": image.min_ram_mib,
        "os_hidden": False,
        "tags": image.tags,
        "created_at": iso(image.created_at),
        "updated_at": iso(image.updated_at),
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }


def _list(call: Call) -> Answer:
    page = _paging.page(call.query)
    with call.region.store.read() as reader:
        known = images.visible(reader, call.credentials.project_id)
    found = [one for one in map(view, known) if _matches(call, one)]
    found = _sorted(call, found)
    if page.marker is not None:
        ids = [one["id"] for one in found]
        if page.marker not in ids:
            raise Invalid(f"Image {page.marker} not found: it is the marker.")
        found = found[ids.index(page.marker) + 1 :]
    shown = found[: page.limit]
    kept = [(name, value) for name, value in call.query if name != "marker"]
    suffix = f"?{urlencode(kept)}" if kept else ""
    body: dict[str, Any] = {
        "images": shown,
        "first": f"/v2/images{suffix}",
        "schema": "/v2/schemas/images",
    }
    if len(found) > page.limit and shown:
        body["next"] = f"/v2/images?{urlencode([*kept, ('marker', shown[-1]['id'])])}"
    return Answer(200, body)


def _matches(call: Call, image: dict[str, Any]) -> bool:
    for name, wanted in call.query:
        if name == "tag" and wanted not in image["tags"]:
            return False
        if name in _CONTROLS:
            continue
        if name == "size_min":
            if (image["size"] or 0) < _number(name, wanted):
                return False
        elif name == "size_max":
            if (image["size"] or 0) > _number(name, wanted):
                return False
        elif name == "visibility" and wanted == "all":
            continue
        elif not _equal(image.get(name), wanted):
            return False
    return True


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Invalid(f"Invalid value '{text}' for '{name}' filter: it is not an integer.")
    return int(text)


def _equal(value: Any, wanted: str) -> bool:
    """Compare as Glance does: `in:a,b` is a set, booleans are words."""
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    if wanted.startswith("in:"):
        return shown in [part.strip('"') for part in wanted[3:].split(",")]
    if isinstance(value, bool):
        wanted = wanted.lower()
    return value is not None and shown == wanted


def _sorted(call: Call, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order by sort=key:dir,… or sort_key and sort_dir; the newest first otherwise."""
    pairs = [part.partition(":") for part in (call.query.get("sort") or "").split(",") if part]
    keys = [(key, direction or "desc") for key, _, direction in pairs]
    if not keys:
        directions = call.query.all("sort_dir")
        keys = [
            (key, directions[min(n, len(directions) - 1)] if directions else "desc")
            for n, key in enumerate(call.query.all("sort_key"))
        ]
    for key, direction in reversed([*keys, ("created_at", "desc"), ("id", "desc")]):
        if key not in _SORTABLE or direction not in ("asc", "desc"):
            raise Invalid(f"Invalid sort key or direction: {key}:{direction}.")
        found = sorted(
            found, key=lambda one, key=key: str(one[key] or ""), reverse=direction == "desc"
        )
    return found


def _show(call: Call) -> Answer:
    image_id = call.params["image"]
    with call.region.store.read() as reader:
        image = images.get(reader, image_id, call.credentials.project_id)
    if image is None:
        raise NotFound(f"No image found with ID {image_id}")
    return Answer(200, view(image))


def _versions(call: Call) -> Answer:
    href = f"{call.base.service(call.region.name, 'image')}/v2/"
    versions = [
        {"id": f"v2.{n}", "status": status, "links": [{"rel": "self", "href": href}]}
        for n, status in ((2, "CURRENT"), (1, "SUPPORTED"), (0, "SUPPORTED"))
    ]
    return Answer(300, {"versions": versions})


def service() -> Service:
    """Return the service, to be mounted below `/{region}/image`."""
    return Service(
        "image",
        (
            Endpoint("GET", "", _versions, auth=False),
            Endpoint("GET", "/versions", _versions, auth=False),
            Endpoint("GET", "/v2/images", _list, "images:read"),
            Endpoint("GET", "/v2/images/{image}", _show, "images:read"),
        ),
        image_shape,
    )
