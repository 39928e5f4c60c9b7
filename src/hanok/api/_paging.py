"""Pages of lists: how many at most, after which one, and the link to the next.

A list is read with one row more than its limit; the row too many tells that there is a next page.
The marker is the last item of the page before, and what comes after it is answered (Nova; the
guide's "first instance in the list" is no client's reading).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from hanok.api._query import Query, count
from hanok.model.errors import Invalid

DEFAULT = 100
"""Items on a page where a client does not say (NHN Cloud's documents)."""
LARGEST = 1_000
"""Items on a page at most; a larger limit is lowered to it (Nova's `max_limit`)."""


@dataclass(frozen=True, slots=True)
class Page:
    """How many items to show, and the marker after which to start."""

    limit: int
    marker: str | None


def page(query: Query, *, default: int = DEFAULT) -> Page:
    """Read `limit` and `marker`; raises Invalid for a limit that is no integer >= 0.

    A limit of 0 is an empty page, without a link to a next one (Nova, Glance, Cinder).
    """
    text = query.get("limit")
    marker = query.get("marker") or None
    if text is None:
        return Page(default, marker)
    limit = count(text, LARGEST)
    if limit is None:
        raise Invalid(
            f"Invalid input for query parameters limit. Value: {text}. It is not an integer >= 0"
        )
    return Page(limit, marker)


def first_query(query: Query) -> str:
    """Return the query string of the first page: this one's, without its marker."""
    return urlencode([(name, value) for name, value in query if name != "marker"])


def next_query(query: Query, marker: str) -> str:
    """Return the query string of the next page: this one's, with another marker."""
    first, behind = first_query(query), urlencode({"marker": marker})
    return f"{first}&{behind}" if first else behind


def next_links(query: Query, marker: str, address: str) -> list[dict[str, str]]:
    """Return a collection's links to the page after `marker`, as Nova lists them."""
    return [{"rel": "next", "href": f"{address}?{next_query(query, marker)}"}]
