"""Change an image by a JSON patch (Glance: "Update image"), of either of Glance's two forms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.image.access import editable
from hanok.api.image.attributes import (
    ATTRIBUTES,
    check_count,
    check_writable,
    read_attribute,
    read_property,
)
from hanok.api.image.image_create import check_hidden
from hanok.api.image.view import view_image
from hanok.model.errors import Conflict, Forbidden, Invalid, UnsupportedMediaType
from hanok.model.image import Image
from hanok.store import images

_OPERATIONS = ("add", "replace", "remove")
_MOST_CHANGES = 1000
_POINTER = re.compile(r"/((?:[^/~]|~[01])+)(?:/([0-9]{1,4}|-))?")
_FORMATS = ("disk_format", "container_format")


@dataclass(frozen=True, slots=True)
class Change:
    """One operation of a patch: add, replace or remove the attribute or property `name`.

    `index` is the place in the list of tags that the path names; None: all of the value. `fresh`:
    what is added was not there (the older form; RFC 6902 adds over it).
    """

    operation: str
    name: str
    value: Any = None
    index: str | None = None
    fresh: bool = False


# -- reading -------------------------------------------------------------------------------------


def _of_rfc_6902(item: Mapping[str, Any]) -> Change:
    """Read `{"op": "replace", "path": "/name", "value": "x"}`."""
    operation = item.get("op")
    if operation not in _OPERATIONS:
        raise Invalid(f"Operations must be one of {', '.join(_OPERATIONS)}.")
    return _change(str(operation), item.get("path"), item)


def _of_draft_4(item: Mapping[str, Any]) -> Change:
    """Read `{"replace": "/name", "value": "x"}`."""
    named = [name for name in _OPERATIONS if name in item]
    if len(named) != 1:
        raise Invalid(f"Operation objects must contain exactly one of {', '.join(_OPERATIONS)}.")
    return replace(_change(named[0], item[named[0]], item), fresh=named[0] == "add")


def _change(operation: str, path: Any, item: Mapping[str, Any]) -> Change:
    if operation != "remove" and "value" not in item:
        raise Invalid(f'Operation "{operation}" requires a member named "value".')
    found = _POINTER.fullmatch(path) if isinstance(path, str) else None
    if found is None or (found[2] is not None and found[1] != "tags"):
        raise Invalid(f"Invalid JSON pointer for this resource: '{path}'.")
    name = found[1].replace("~1", "/").replace("~0", "~")
    return Change(operation, name, item.get("value"), found[2])


_FORMS: Mapping[str, Callable[[Mapping[str, Any]], Change]] = {
    "application/openstack-images-v2.1-json-patch": _of_rfc_6902,
    "application/openstack-images-v2.0-json-patch": _of_draft_4,
}


def _changes(call: Call) -> list[Change]:
    kind = call.content_type
    if kind not in _FORMS:
        raise UnsupportedMediaType(f"The content type of a patch is one of {', '.join(_FORMS)}.")
    items = decode(call.body, list[dict[str, Any]])
    if len(items) > _MOST_CHANGES:
        raise Invalid(f"A patch has at most {_MOST_CHANGES} operations.")
    return [_FORMS[kind](item) for item in items]


# -- applying ------------------------------------------------------------------------------------


def patch(image: Image, changes: list[Change], *, is_admin: bool) -> Image:
    """Return the image with the changes made, in order. Raises Invalid, Forbidden, Conflict."""
    for change in changes:
        check_writable(change.name)
        if change.name == "id":
            raise Forbidden("Attribute 'id' is read-only.")
        if change.fresh and change.index is None and _is_there(image, change.name):
            raise Conflict(f"Property {change.name} already present.")
        if change.name == "os_hidden" and change.operation != "remove":
            check_hidden(change.value)
        elif change.name in ATTRIBUTES:
            image = _attribute(image, change, is_admin=is_admin)
        else:
            image = _property(image, change)
    check_count(image.properties)
    return image


def _is_there(image: Image, name: str) -> bool:
    return name in ATTRIBUTES or name == "os_hidden" or name in image.properties


def _attribute(image: Image, change: Change, *, is_admin: bool) -> Image:
    name = change.name
    if change.index is not None:
        value: Any = _tags(image.tags, change)
    elif change.operation == "remove":
        raise Forbidden(f"Property {name} may not be removed.")
    else:
        value = change.value
    if name in _FORMATS and image.status != "queued":
        raise Forbidden(f"Attribute {name} can be only replaced for a queued image.")
    field, read = read_attribute(name, value, is_admin=is_admin)
    return replace(image, **{field: read})


def _tags(tags: list[str], change: Change) -> list[Any]:
    """Change one place in the list of tags (RFC 6902: a place that is not there is an error)."""
    made: list[Any] = list(tags)
    place = len(made) if change.index == "-" else int(change.index or 0)
    if place > len(made) or (place == len(made) and change.operation != "add"):
        raise Conflict(f"There is no tag at '/tags/{change.index}'.")
    if change.operation != "add":
        del made[place]
    if change.operation != "remove":
        made.insert(place, change.value)
    return made


def _property(image: Image, change: Change) -> Image:
    name = change.name
    if change.operation != "add" and name not in image.properties:
        raise Conflict(f"Property {name} does not exist.")
    if change.operation == "remove":
        kept = {key: value for key, value in image.properties.items() if key != name}
    else:
        kept = {**image.properties, name: read_property(name, change.value)}
    return replace(image, properties=kept)


def _patch(call: Call) -> Answer:
    changes = _changes(call)
    with call.region.store.write() as tx:
        image = editable(tx, call)
        changed = patch(image, changes, is_admin=call.credentials.is_admin)
        if changed != image:
            changed = replace(changed, updated_at=call.region.clock.now())
            images.change(tx, changed)
    return Answer(200, view_image(changed))


ENDPOINTS = (Endpoint("PATCH", "/v2/images/{image}", _patch, "images:write"),)
