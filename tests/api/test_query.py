from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanok.api._query import Query, count
from hanok.model.errors import Invalid


def test_parameters_keep_their_order_and_their_case() -> None:
    query = Query("name=a&Name=b&name=c+d&blank=&%ED%95%9C=%EA%B8%80")
    assert list(query) == [
        ("name", "a"),
        ("Name", "b"),
        ("name", "c d"),
        ("blank", ""),
        ("한", "글"),
    ]
    assert query.get("name") == "a"
    assert query.all("name") == ["a", "c d"]
    assert query.get("blank") == ""
    assert query.get("NAME") is None
    assert query.all("none") == []
    assert list(Query("")) == []


@pytest.mark.parametrize("text", ["name=%00", "name=a%00b", "%00=a", "name=\0"])
def test_a_nul_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="NUL"):
        Query(text)


def test_too_many_parameters_are_refused() -> None:
    assert len(Query("&".join(["a=1"] * 200)).all("a")) == 200
    with pytest.raises(Invalid, match="too many"):
        Query("&".join(["a=1"] * 201))


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("7", 7), ("007", 7), ("%207%20", 7), ("2147483647", 2**31 - 1)]
)
def test_an_integer_is_read(text: str, value: int) -> None:
    assert Query(f"limit={text}").integer("limit") == value
    assert Query("").integer("limit") is None


@pytest.mark.parametrize(
    "text",
    ["", "-1", "%2B1", "1.0", "1e3", "x", "٣", "²", "1_000", "0x1", "2147483648", "9" * 5_000],
)
def test_what_is_no_integer_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="limit"):
        Query(f"limit={text}").integer("limit")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("0", 0), (" 007 ", 7), ("50", 50), ("51", 50), ("100", 50), ("9" * 5_000, 50)),
        *((text, None) for text in ("", "-1", "+1", "1.0", "x", "٣", "²", "1_0")),
    ],
)
def test_a_count_is_lowered_to_what_there_can_be(text: str, value: int | None) -> None:
    assert count(text, 50) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, True) for text in ("1", "true", "True", "on", "YES", "t", "y")),
        *((text, False) for text in ("0", "false", "FALSE", "off", "no", "f", "n")),
        *((text, None) for text in ("", "2", "maybe", "tru")),
    ],
)
def test_a_flag_is_read_or_ignored(text: str, value: bool | None) -> None:
    assert Query(f"enabled={text}").flag("enabled") is value
    assert Query("").flag("enabled") is None


@given(st.text(max_size=100))
def test_no_query_raises_anything_else(text: str) -> None:
    with suppress(Invalid):
        for name, value in Query(text):
            assert "\0" not in name + value
