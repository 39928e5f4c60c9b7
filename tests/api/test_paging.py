from __future__ import annotations

import pytest

from hanok.api._paging import Page, first_query, next_links, next_query, page
from hanok.api._query import Query
from hanok.model.errors import Invalid


@pytest.mark.parametrize(
    ("text", "limit", "marker"),
    [
        ("", 100, None),
        ("limit=7", 7, None),
        ("limit=0", 0, None),
        ("limit=000", 0, None),
        ("limit=1000&marker=x", 1000, "x"),
        ("limit=1001", 1000, None),
        ("limit=" + "9" * 5000, 1000, None),
        ("limit=0007", 7, None),
        ("marker=a%20b&limit=%207", 7, "a b"),
        ("marker=", 100, None),
    ],
)
def test_limits_and_markers(text: str, limit: int, marker: str | None) -> None:
    assert page(Query(text)) == Page(limit, marker)


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "", "1e3", "٣", "0x10", "²", "+1"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="limit"):
        page(Query(f"limit={text}".replace("+", "%2B")))


def test_a_list_may_have_rules_of_its_own() -> None:
    assert page(Query(""), default=1000).limit == 1000
    assert page(Query("limit=0"), default=1000).limit == 0


def test_the_next_page_keeps_what_was_asked() -> None:
    query = Query("minRam=1&marker=old&tag=a%26b&tag=c&limit=2")
    assert next_query(query, "n w") == "minRam=1&tag=a%26b&tag=c&limit=2&marker=n+w"
    assert first_query(query) == "minRam=1&tag=a%26b&tag=c&limit=2"
    assert next_query(Query(""), "x") == "marker=x"
    assert next_links(Query("limit=1"), "x", "http://a/b") == [
        {"rel": "next", "href": "http://a/b?limit=1&marker=x"}
    ]
