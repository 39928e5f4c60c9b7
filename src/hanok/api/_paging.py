"""Pages of lists: `limit`, `marker`, and the link to what comes after."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from hanok.api._query import Query

DEFAULT = 100
LARGEST = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is asked for."""

    limit: int
    marker: str | None


def page(query: Query) -> Page:
    """Read limit (100 unless asked for, 1,000 at most) and marker; raises Invalid."""
    limit = query.integer("limit")
    return Page(DEFAULT if limit is None else min(limit, LARGEST), query.get("marker") or None)


def next_links(query: Query, last: str, address: str) -> list[dict[str, str]]:
    """Return the link to the page behind `last`, with the request's own filters."""
    pairs = [(name, value) for name, value in query if name != "marker"]
    return [{"rel": "next", "href": f"{address}?{urlencode([*pairs, ('marker', last)])}"}]
