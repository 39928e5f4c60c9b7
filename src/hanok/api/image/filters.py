"""The filters of a list of images, as Glance reads them.

A parameter that names neither an attribute nor a rule of the list is one of the image's own
properties, and must be equal.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hanok.api._paging import Page
from hanok.api._query import Query
from hanok.model.errors import Invalid
from hanok.store.images import COLUMNS, LARGEST, Bound, Listing

_VISIBILITIES = ("public", "private", "shared", "community", "all")
_MEMBER_STATUSES = ("accepted", "pending", "rejected", "all")
_TEXTS = ("checksum", "container_format", "disk_format", "id", "name", "owner", "status")
_NUMBERS = ("min_disk", "min_ram", "size", "virtual_size")
_MOMENTS = ("created_at", "updated_at")
_NEVER_SET = ("os_hash_algo", "os_hash_value")
_RULES = ("limit", "marker", "sort", "sort_dir", "sort_key")
_COMPARISON = re.compile(r"(eq|neq|gt|gte|lt|lte):(.*)", re.DOTALL)
_BOOLEANS = {"true": True, "false": False}


@dataclass(slots=True)
class _Read:
    """What has been read of the filters so far."""

    visibility: str | None = None
    among: dict[str, list[str | int | bool]] = field(default_factory=dict)
    bounds: list[Bound] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)


def read_listing(query: Query, page: Page, project_id: str | None) -> Listing:
    """Read a list's query; `project_id` None sees every project's images. Raises Invalid."""
    read = _Read()
    for name, value in query:
        if name in _READERS:
            _READERS[name](read, name, value)
        elif name not in _RULES:
            read.properties[name] = value
    return Listing(
        project_id=project_id,
        limit=page.limit + 1,
        visibility=read.visibility,
        among=read.among,
        bounds=read.bounds,
        properties=read.properties,
        tags=read.tags,
        sort=_sort(query),
        marker=page.marker,
    )


# -- attributes ----------------------------------------------------------------------------------


def _visibility(read: _Read, _name: str, value: str) -> None:
    if value not in _VISIBILITIES:
        raise Invalid(f"Invalid visibility value: {value}")
    read.visibility = value


def _member_status(_read: _Read, _name: str, value: str) -> None:
    """Check it; it tells shared images apart by their members' answers, and none has members."""
    if value not in _MEMBER_STATUSES:
        raise Invalid(f"Invalid status: {value}. It must be one of {', '.join(_MEMBER_STATUSES)}.")


def _tag(read: _Read, _name: str, value: str) -> None:
    read.tags.append(value)


def _hidden(read: _Read, name: str, value: str) -> None:
    """Show what is hidden, which no image is, or what is not."""
    if _boolean(name, value):
        read.among["id"] = []


def _never(read: _Read, _name: str, _value: str) -> None:
    read.among["id"] = []


def _protected(read: _Read, name: str, value: str) -> None:
    read.among[name] = [_boolean(name, value)]


def _text(read: _Read, name: str, value: str) -> None:
    """Read `x`, `eq:x`, `neq:x` or `in:x,"y,z"`; any other prefix belongs to the text."""
    if value.startswith("in:"):
        read.among[name] = list(_split(name, value[3:]))
        return
    found = _COMPARISON.fullmatch(value)
    if found and found[1] in ("eq", "neq"):
        read.bounds.append(Bound(name, found[1], found[2].removeprefix('"').removesuffix('"')))
    else:
        read.bounds.append(Bound(name, "eq", value))


def _split(name: str, text: str) -> list[str]:
    """Split at commas that are not inside quotes."""
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error as error:
        raise Invalid(
            f"Invalid filter value {text} for {name}: its quotes do not match."
        ) from error
    return rows[0] if rows else []


def _number(read: _Read, name: str, value: str) -> None:
    read.bounds.append(Bound(name, "eq", _integer(name, value)))


def _least(read: _Read, name: str, value: str) -> None:
    read.bounds.append(Bound("size", "gte", _integer(name, value)))


def _most(read: _Read, name: str, value: str) -> None:
    read.bounds.append(Bound("size", "lte", _integer(name, value)))


def _moment(read: _Read, name: str, value: str) -> None:
    """Read an ISO 8601 moment, UTC where it names no zone, behind an operator (default eq)."""
    found = _COMPARISON.fullmatch(value)
    operator, text = (found[1], found[2]) if found else ("eq", value)
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError as error:
        raise Invalid(f"Invalid time format: '{value}' for {name}.") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    read.bounds.append(Bound(name, operator, int(moment.timestamp())))


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in _BOOLEANS:
        raise Invalid(f"Invalid value '{value}' for '{name}' filter. It must be 'true' or 'false'.")
    return _BOOLEANS[value.lower()]


def _integer(name: str, value: str) -> int:
    text = value.strip()
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > LARGEST:
        raise Invalid(f"Invalid value '{value}' for '{name}' filter: it is not an integer >= 0.")
    return int(text)


_READERS: Mapping[str, Callable[[_Read, str, str], None]] = {
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(_NUMBERS, _number),
    **dict.fromkeys(_MOMENTS, _moment),
    **dict.fromkeys(_NEVER_SET, _never),
    "member_status": _member_status,
    "os_hidden": _hidden,
    "protected": _protected,
    "size_max": _most,
    "size_min": _least,
    "tag": _tag,
    "visibility": _visibility,
}


# -- order ---------------------------------------------------------------------------------------


def _sort(query: Query) -> list[tuple[str, bool]]:
    """Read `sort=name:asc,size`, or `sort_key` and `sort_dir`, each as often as wanted."""
    together = query.get("sort")
    keys, directions = query.all("sort_key"), query.all("sort_dir")
    if together is not None:
        if keys or directions:
            raise Invalid("Old and new sorting syntax cannot be combined")
        pairs = [part.strip().partition(":") for part in together.split(",")]
        return [_order(key, direction or "desc") for key, _, direction in pairs]
    keys = keys or ["created_at"]
    if len(directions) <= 1:
        directions = [directions[0] if directions else "desc"] * len(keys)
    if len(directions) != len(keys):
        raise Invalid("Number of sort dirs does not match the number of sort keys")
    return [_order(key, direction) for key, direction in zip(keys, directions, strict=True)]


def _order(key: str, direction: str) -> tuple[str, bool]:
    if key not in COLUMNS:
        raise Invalid(
            f"Invalid sort key: {key}. It must be one of the following: "
            f"{', '.join(sorted(COLUMNS))}."
        )
    if direction not in ("asc", "desc"):
        raise Invalid(
            f"Invalid sort direction: {direction}. It must be one of the following: asc, desc."
        )
    return key, direction == "desc"
