from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hanok.api._query import Query
from hanok.api.network import pages
from hanok.model.errors import Invalid

ROWS: list[dict[str, Any]] = [
    {"id": "1", "name": "b", "mtu": None, "shared": True},
    {"id": "2", "name": "a", "mtu": 900, "shared": False},
    {"id": "3", "name": "a", "mtu": 1000, "shared": True},
]
KNOWN = ("id", "name", "mtu", "shared")


def ids(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(str(row["id"]) for row in rows)


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", "123"),
        ("sort_key=name&sort_dir=asc", "231"),
        ("sort_key=name&sort_dir=desc", "123"),
        ("sort_key=name&sort_dir=asc&sort_key=id&sort_dir=desc", "321"),
        ("sort_key=mtu&sort_dir=asc", "123"),
        ("sort_key=mtu&sort_dir=desc", "321"),
        ("sort_key=shared&sort_dir=asc", "213"),
    ],
)
def test_a_list_is_sorted(query: str, order: str) -> None:
    assert ids(pages.ordered(Query(query), KNOWN, ROWS)) == order


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sort_key=name", "must be same"),
        ("sort_dir=asc", "must be same"),
        ("sort_key=color&sort_dir=asc", "'color'"),
        ("sort_key=name&sort_dir=up", "'up'"),
    ],
)
def test_a_bad_order_is_refused(query: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        pages.ordered(Query(query), KNOWN, [])


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        ("", 1000),
        ("limit=0", 1000),
        ("limit=007", 7),
        ("limit=1001", 1000),
        ("limit=" + "9" * 99, 1000),
    ],
)
def test_a_page_has_a_size(query: str, limit: int) -> None:
    assert pages.page(Query(query)).limit == limit


@pytest.mark.parametrize("text", ["x", "-1", "", "1.5", "\u0663"])
def test_a_bad_size_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="Limit must be"):
        pages.page(Query(f"limit={text}"))


def look(query: str) -> tuple[str, dict[str, dict[str, list[str]]]]:
    """Return the ids of a page of ROWS, and the parameters of its links."""
    asked = Query(query)
    page = pages.page(asked)
    found = pages.behind(page, ROWS)
    assert found is not None
    shown = list(pages.cut(page, found))
    links = {
        link["rel"]: parse_qs(urlsplit(link["href"]).query)
        for link in pages.links(asked, page, shown, "http://x/v2.0/things")
    }
    return ids(shown), links


def test_pages_go_forward_and_back() -> None:
    assert look("") == ("123", {})
    shown, links = look("limit=2&name=a")
    assert shown == "12"
    assert links["next"] == {"limit": ["2"], "name": ["a"], "marker": ["2"]}
    assert links["previous"]["marker"] == ["1"]
    shown, links = look("limit=2&marker=2")
    assert (shown, set(links)) == ("3", {"previous"})
    assert links["previous"] == {"limit": ["2"], "marker": ["3"], "page_reverse": ["True"]}
    shown, links = look("limit=2&marker=3&page_reverse=True")
    assert (shown, set(links)) == ("12", {"next", "previous"})
    assert links["next"] == {"limit": ["2"], "marker": ["2"]}
    assert look("limit=1&page_reverse=true&marker=3")[0] == "2"
    assert look("limit=2&page_reverse=true&marker=2")[0] == "1"
    assert look("limit=2&page_reverse=true")[0] == "23"
    shown, links = look("limit=2&marker=3")
    assert (shown, links["previous"]) == ("", {"limit": ["2"], "page_reverse": ["True"]})


def test_a_marker_that_is_not_there_has_nothing_behind_it() -> None:
    assert pages.behind(pages.page(Query("marker=9")), ROWS) is None


def test_what_is_too_long_says_how_to_go_on() -> None:
    many = [{"id": str(number)} for number in range(pages.LARGEST + 1)]
    shown = pages.cut(pages.page(Query("")), many)
    assert len(shown) == pages.LARGEST
    (following, _) = pages.links(Query(""), pages.page(Query("")), shown, "http://x")
    assert following == {"rel": "next", "href": "http://x?marker=999"}
