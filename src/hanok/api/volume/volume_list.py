"""Lists of volumes: the filters that clients send, sorted, a page at a time.

A parameter that is no filter is ignored, as Cinder does for tenants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from hanok.api import _paging
from hanok.api._call import Answer, Call
from hanok.api._query import Query
from hanok.api.volume.volumes import links, view
from hanok.model.errors import Invalid, NotFound
from hanok.store import volumes
from hanok.store.volumes import COLUMNS, Listing

LARGEST = _paging.LARGEST
"""Volumes on a page where a client does not say (NHN Cloud's documents), and at most."""
_MOST_PAIRS = 128
"""Pairs that one list may ask for: as many as an object's metadata has items (Nova's quota)."""
_TEXT = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_PAIR = re.compile(rf"\s*({_TEXT})\s*:\s*({_TEXT}|[\w.+-]+)\s*(,|$)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def listed(call: Call, *, version: str, long: bool) -> Answer:
    """Serve GET volumes (`long`: volumes/detail), the newest first unless sorted otherwise."""
    page = _paging.page(call.query, default=LARGEST)
    listing = read(call, page)
    with call.region.store.read() as reader:
        found = volumes.page(reader, listing)
    if found is None:
        raise NotFound(f"Volume {page.marker} could not be found.")
    shown = found[: page.limit]
    body: dict[str, Any] = {
        "volumes": [
            view(call, version, volume, attachments)
            if long
            else {
                "id": volume.id,
                "name": volume.name or None,
                "links": links(call, version, volume.id),
            }
            for volume, attachments in shown
        ]
    }
    if len(found) > page.limit and shown:
        body["volumes_links"] = _next(call, version, shown[-1][0].id, long=long)
    return Answer(200, body)


def _next(call: Call, version: str, last: str, *, long: bool) -> list[dict[str, str]]:
    """Return the link to the next page; an offset counts from the list's start, so it goes."""
    base = call.base.service(call.region.name, "volume")
    path = f"{version}/{call.credentials.project_id}/volumes{'/detail' if long else ''}"
    pairs = [(name, value) for name, value in call.query if name not in ("marker", "offset")]
    query = urlencode([*pairs, ("marker", last)])
    return [{"rel": "next", "href": f"{base}/{path}?{query}"}]


def read(call: Call, page: _paging.Page) -> Listing:
    """Read a list request, one row more than its page; raises Invalid."""
    query, credentials = call.query, call.credentials
    everyone = credentials.is_admin and bool(query.flag("all_tenants"))
    among: dict[str, list[Any]] = {}
    for name, value in query:
        convert = _FILTERS.get(name)
        if convert is not None and (everyone or name != "project_id"):
            among.setdefault(name, []).append(convert(name, value))
    metadata: dict[str, str] = {}
    for text in query.all("metadata"):
        metadata |= pairs(text)
    if len(metadata) > _MOST_PAIRS:
        raise Invalid(f"Invalid input received: metadata has more than {_MOST_PAIRS} pairs.")
    return Listing(
        project_id=None if everyone else credentials.project_id,
        limit=page.limit + 1,
        among=among,
        metadata=metadata,
        sort=_sort(query),
        marker=page.marker,
        offset=query.integer("offset") or 0,
    )


def _text(_name: str, value: str) -> str:
    return value


def _flag(name: str, value: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}.get(value.lower())
    if known is None:
        raise Invalid(f"Invalid input received: {name}={value} is not a boolean.")
    return known


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Invalid(f"Invalid input received: {name}={value} is not a number.")
    return int(value)


_FILTERS: Mapping[str, Callable[[str, str], Any]] = {
    **dict.fromkeys(("availability_zone", "id", "name", "project_id", "status"), _text),
    **dict.fromkeys(("user_id", "volume_type"), _text),
    "bootable": _flag,
    "size": _number,
}


def pairs(text: str) -> dict[str, str]:
    """Read a metadata filter: `{'key': 'value'}` as Python writes it, or JSON; raises Invalid."""
    body = text.strip()
    if not (body.startswith("{") and body.endswith("}")):
        raise _odd(text)
    body = body[1:-1].rstrip()
    found: dict[str, str] = {}
    position = 0
    while position < len(body):
        pair = _PAIR.match(body, position)
        if pair is None:
            raise _odd(text)
        found[_unquoted(pair[1])] = _unquoted(pair[2])
        position = pair.end()
    return found


def _odd(text: str) -> Invalid:
    shown = text if len(text) < 100 else f"{text[:100]}…"
    return Invalid(f"Invalid input received: metadata={shown} is no object of keys and values.")


def _unquoted(token: str) -> str:
    text = token.removeprefix("u") if token.endswith(("'", '"')) else token
    return _ESCAPE.sub(r"\1", text[1:-1]) if text.endswith(("'", '"')) else text


def _sort(query: Query) -> list[tuple[str, bool]]:
    """Read `sort=name:asc,size`, or `sort_key` and `sort_dir`; descending unless said otherwise."""
    keys, directions = query.all("sort_key"), query.all("sort_dir")
    text = query.get("sort")
    if text is None:
        if not keys:
            keys = ["created_at"]
        wanted = [
            (key, directions[n] if n < len(directions) else "desc") for n, key in enumerate(keys)
        ]
    elif keys or directions:
        raise Invalid(
            "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the "
            "'sort' parameter."
        )
    else:
        parts = [part.partition(":") for part in text.split(",")]
        wanted = [(key.strip(), direction.strip() or "desc") for key, _, direction in parts]
    for key, direction in wanted:
        if key not in COLUMNS:
            raise Invalid(f"Invalid input received: Sort key supplied is not valid: {key}.")
        if direction not in ("asc", "desc"):
            raise Invalid("Unknown sort direction, must be 'desc' or 'asc'.")
    return [(key, direction == "desc") for key, direction in wanted]
