"""Images: list and show."""

from __future__ import annotations

from typing import Any

from hanok.api import _paging
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.image.access import project_of, seen
from hanok.api.image.filters import read_listing
from hanok.api.image.view import view_image
from hanok.model.errors import Invalid
from hanok.store import images

ROOT = "/v2/images"
_SCHEMA = "/v2/schemas/images"


def _list(call: Call) -> Answer:
    page = _paging.page(call.query)
    listing = read_listing(call.query, page, project_of(call))
    with call.region.store.read() as reader:
        found = images.page(reader, listing)
    if found is None:
        raise Invalid(f"Invalid marker: image {page.marker} could not be found.")
    shown = found[: page.limit]
    body: dict[str, Any] = {
        "images": [view_image(image) for image in shown],
        "first": _address(_paging.first_query(call.query)),
        "schema": _SCHEMA,
    }
    if shown and len(found) > len(shown):
        body["next"] = _address(_paging.next_query(call.query, shown[-1].id))
    return Answer(200, body)


def _address(query: str) -> str:
    """Return a list's address below the service's root, which is how Glance links pages."""
    return f"{ROOT}?{query}" if query else ROOT


def _show(call: Call) -> Answer:
    with call.region.store.read() as reader:
        return Answer(200, view_image(seen(reader, call)))


ENDPOINTS = (
    Endpoint("GET", ROOT, _list, "images:read"),
    Endpoint("GET", f"{ROOT}/{{image}}", _show, "images:read"),
)
