"""Pages and order of the network service's lists, as Neutron has them.

`marker` is the last object of the page before, or with `page_reverse` the first of the page after.
A page that is full has a link to the next one, which may be empty; what was read by `next` links
has a link back. A list is never longer than `LARGEST`, asked for or not, and says how to go on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from hanok.api._query import Query
from hanok.model.errors import Invalid

LARGEST = 1_000
"""Objects on a page at most (Neutron's `pagination_max_limit`)."""
_DIGITS = len(str(LARGEST))
_DIRECTIONS = ("asc", "desc")
Object = dict[str, Any]


class LimitInvalid(Invalid):
    """The limit is no integer >= 0."""

    neutron_type = "BadRequest"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"Bad limit request: Limit must be an integer 0 or greater and not '{text}'."
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    marker: str | None
    reverse: bool


def page(query: Query) -> Page:
    """Read limit, marker and page_reverse; raises LimitInvalid. A limit of 0 is none (Neutron)."""
    reverse = (query.get("page_reverse") or "").lower() == "true"
    return Page(_limit(query.get("limit")), query.get("marker") or None, reverse)


def _limit(text: str | None) -> int:
    digits = "0" if text is None else text.strip()
    if not (digits.isascii() and digits.isdigit()):
        raise LimitInvalid(text or "")
    digits = digits.lstrip("0")
    if not digits:
        return LARGEST
    return LARGEST if len(digits) > _DIGITS else min(int(digits), LARGEST)


def ordered(query: Query, known: Collection[str], found: Sequence[Object]) -> list[Object]:
    """Sort by `sort_key` and `sort_dir`, what is equal stays in order; raises Invalid.

    `known` are the names that may be sorted by. Null comes before every value (Neutron).
    """
    keys = [key for key in query.all("sort_key") if key]
    directions = [direction for direction in query.all("sort_dir") if direction]
    if len(keys) != len(directions):
        raise Invalid("The number of sort_keys and sort_dirs must be same")
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise Invalid(f"{unknown} is invalid attribute for sort_keys")
    odd = [direction for direction in directions if direction not in _DIRECTIONS]
    if odd:
        raise Invalid(f"{odd} is invalid value for sort_dirs, valid value is 'asc' and 'desc'")
    result = list(found)
    for key, direction in reversed(list(zip(keys, directions, strict=True))):
        result.sort(key=partial(_rank, key), reverse=direction == "desc")
    return result


def _rank(key: str, one: Object) -> tuple[bool, Any]:
    value = one[key]
    return (value is not None, "" if value is None else value)


def behind(asked: Page, found: Sequence[Object]) -> Sequence[Object] | None:
    """Return what comes after the marker (reversed: before it); None where it is not there."""
    if asked.marker is None:
        return found
    for position, one in enumerate(found):
        if one["id"] == asked.marker:
            return found[:position] if asked.reverse else found[position + 1 :]
    return None


def cut(asked: Page, found: Sequence[Object]) -> Sequence[Object]:
    """Return the page: the first objects, or reversed the last ones; their order stays."""
    return found[-asked.limit :] if asked.reverse else found[: asked.limit]


def links(query: Query, asked: Page, shown: Sequence[Object], address: str) -> list[dict[str, str]]:
    """Return the links of a page; none where nobody asked for pages and everything is shown."""
    full = len(shown) >= asked.limit
    if not full and not {"limit", "marker", "page_reverse"} & {name for name, _ in query}:
        return []
    found = []
    if full or asked.reverse:
        found.append(_link("next", query, address, shown[-1:]))
    if full or not asked.reverse:
        found.append(_link("previous", query, address, shown[:1]))
    return found


def _link(rel: str, query: Query, address: str, edge: Sequence[Object]) -> dict[str, str]:
    kept = [pair for pair in query if pair[0] not in ("marker", "page_reverse")]
    kept += [("marker", one["id"]) for one in edge]
    if rel == "previous":
        kept.append(("page_reverse", "True"))
    return {"rel": rel, "href": f"{address}?{urlencode(kept)}"}
