"""Lists of servers: the guide's filters, Nova's `ip`, and a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import re2

from hanok.api._call import Call
from hanok.api._paging import Page
from hanok.model.errors import Invalid
from hanok.model.moments import SECOND
from hanok.store import servers
from hanok.store.database import Reader
from hanok.store.servers import Listing

_Item = TypeVar("_Item")
_PATTERN = 255
_BATCH = 1000


def listing(call: Call, page: Page, reader: Reader) -> Listing:
    """Read the filters of a list request; raises Invalid."""
    query = call.query
    project_id = _project(call)
    marker = None
    if page.marker is not None:
        known = servers.find(reader, page.marker)
        if known is None or project_id not in (None, known.project_id):
            raise Invalid(f"marker [{page.marker}] not found")
        marker = (known.created_at, known.id)
    return Listing(
        project_id=project_id,
        limit=page.limit + 1,
        marker=marker,
        reservation_id=query.get("reservation_id"),
        image_id=query.get("image"),
        flavor_id=query.get("flavor"),
        # Each once: a database's statement has no room for the same one two hundred times.
        statuses=tuple(dict.fromkeys(status.upper() for status in query.all("status"))),
        changed_since=_moment(query.get("changes-since")),
        # A part of it will do, as in Nova where Neutron looks for it.
        addresses=tuple(one for one in (query.get("ip"), query.get("ip6")) if one),
    )


def _project(call: Call) -> str | None:
    """Return whose servers are listed: the caller's project's; None: every project's.

    Only an administrator sees another's, and only with `all_tenants` (Nova).
    """
    query, credentials = call.query, call.credentials
    if not (credentials.is_admin and query.flag("all_tenants")):
        return credentials.project_id
    return query.get("tenant_id") or query.get("project_id")


def read_page(
    reader: Reader,
    wanted: Listing,
    name: str | None,
    read: Callable[[Reader, Listing], Sequence[_Item]],
    key: Callable[[_Item], tuple[str, str, int]],
) -> Sequence[_Item]:
    """Read one page, names matched with RE2 (linear time, the same on every database).

    `key` gives an item's id, name and time of creation.
    """
    if not name:
        return read(reader, wanted)
    pattern = compile_name(name)
    found: list[_Item] = []
    batch = replace(wanted, limit=_BATCH)
    while True:
        items = read(reader, batch)
        found += [item for item in items if pattern.search(key(item)[1])]
        if len(found) >= wanted.limit or len(items) < _BATCH:
            return found[: wanted.limit]
        last_id, _, created = key(items[-1])
        batch = replace(batch, marker=(created, last_id))


def compile_name(text: str) -> Any:
    """Compile the `name` filter; raises Invalid for what RE2 refuses."""
    if len(text) > _PATTERN:
        raise Invalid(f"Invalid filter name: it has more than {_PATTERN} characters.")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(text, options)
    except re2.error as error:
        raise Invalid(f"Invalid filter name: '{text}' is not a regular expression.") from error


def _moment(text: str | None) -> int | None:
    """Read changes-since: ISO 8601, UTC where no zone is given."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError as error:
        raise Invalid(f"Invalid changes-since value: '{text}' is not a date and time.") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND
