"""Images as the compute service shows them (Nova's image proxy).

Terraform reads one here; apache-libcloud deletes one here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from hanok.api import _paging
from hanok.api._call import Answer, Call, Endpoint
from hanok.api._query import Query
from hanok.api.compute.links import links_of
from hanok.api.image import image_delete
from hanok.api.image.access import project_of
from hanok.api.image.filters import read_listing
from hanok.model.errors import Invalid, NotFound
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


_FILTERS = {
    "name": "name",
    "minDisk": "min_disk",
    "minRam": "min_ram",
    "server": "instance_uuid",
    "type": "image_type",
}
"""Nova's parameters that filter a list, by what the image service calls the same."""
_PROPERTY = "property-"


def _short(call: Call) -> Answer:
    """`GET images`: `id`, `name` and `links` of each."""
    return _list(call, "images", _short_view)


def _detail(call: Call) -> Answer:
    """`GET images/detail`: all of each."""
    return _list(call, "images/detail", _view)


def _list(call: Call, path: str, view: Callable[[Call, Image], dict[str, Any]]) -> Answer:
    page = _paging.page(call.query)
    listing = read_listing(_as_image_service(call.query), page, project_of(call))
    with call.region.store.read() as reader:
        found = images.page(reader, listing)
    if found is None:
        raise Invalid(f"marker [{page.marker}] not found")
    shown = found[: page.limit]
    body: dict[str, Any] = {"images": [view(call, image) for image in shown]}
    if shown and len(found) > len(shown):
        address = links_of(call, "/v2").collection(path)
        body["images_links"] = _paging.next_links(call.query, shown[-1].id, address)
    return Answer(200, body)


def _as_image_service(query: Query) -> Query:
    """Translate a list's filters; what Nova does not know it ignores."""
    asked: list[tuple[str, str]] = []
    for name, value in query:
        if name in _FILTERS:
            asked.append((_FILTERS[name], value.rpartition("/")[2] if name == "server" else value))
        elif name == "status":
            shown_so = [status for status, shown in _STATUS.items() if shown == value.upper()]
            asked.append((name, f"in:{','.join(shown_so)}"))
        elif name == "changes-since":
            asked.append(("updated_at", f"gte:{value}"))
        elif name.startswith(_PROPERTY):
            asked.append((name.removeprefix(_PROPERTY), value))
    return Query(urlencode(asked))


def _show(call: Call) -> Answer:
    with call.region.store.read() as reader:
        image = images.get(reader, call.params["image"], project_of(call))
    if image is None:
        raise NotFound("Image not found.")
    return Answer(200, {"image": _view(call, image)})


def _short_view(call: Call, image: Image) -> dict[str, Any]:
    service = call.base.service(call.region.name, "image")
    alternate = {
        "rel": "alternate",
        "type": "application/vnd.openstack.image",
        "href": f"{service}/v2/images/{image.id}",
    }
    links = [*links_of(call, "/v2").both("images", image.id), alternate]
    return {"id": image.id, "name": image.name, "links": links}


def _view(call: Call, image: Image) -> dict[str, Any]:
    return {
        **_short_view(call, image),
        "status": _STATUS.get(image.status, "UNKNOWN"),
        "progress": _PROGRESS.get(image.status, 0),
        "minDisk": image.min_disk_gib,
        "minRam": image.min_ram_mib,
        "created": iso(image.created_at),
        "updated": iso(image.updated_at),
        "metadata": {name: str(value) for name, value in image.properties.items()},
        "OS-EXT-IMG-SIZE:size": image.size_bytes or 0,
    }


_ROOT = "/v2/{tenant}/images"
ENDPOINTS = (
    Endpoint("GET", _ROOT, _short, "images:read"),
    Endpoint("GET", f"{_ROOT}/detail", _detail, "images:read"),
    Endpoint("GET", f"{_ROOT}/{{image}}", _show, "images:read"),
    Endpoint("DELETE", f"{_ROOT}/{{image}}", image_delete.delete, "images:write"),
)
