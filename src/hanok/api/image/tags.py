"""An image's tags, one at a time."""

from __future__ import annotations

from dataclasses import replace

from hanok.api._call import Answer, Call, Endpoint
from hanok.api.image.access import editable
from hanok.api.image.attributes import check_tags, read_tag
from hanok.model.errors import NotFound
from hanok.store import images

_PATH = "/v2/images/{image}/tags/{tag}"


def _add(call: Call) -> Answer:
    tag = read_tag(call.params["tag"])
    with call.region.store.write() as tx:
        image = editable(tx, call)
        if tag not in image.tags:
            tags = check_tags([*image.tags, tag])
            images.change(tx, replace(image, tags=tags, updated_at=call.region.clock.now()))
    return Answer(204)


def _remove(call: Call) -> Answer:
    tag = call.params["tag"]
    with call.region.store.write() as tx:
        image = editable(tx, call)
        if tag not in image.tags:
            raise NotFound(f"Image {image.id} has no tag {tag}.")
        tags = [one for one in image.tags if one != tag]
        images.change(tx, replace(image, tags=tags, updated_at=call.region.clock.now()))
    return Answer(204)


ENDPOINTS = (
    Endpoint("PUT", _PATH, _add, "images:write"),
    Endpoint("DELETE", _PATH, _remove, "images:write"),
)
