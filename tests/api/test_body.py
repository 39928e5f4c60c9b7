from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from hanok.api._body import convert, decode, trimmed
from hanok.model.errors import Invalid


class Server(msgspec.Struct):
    name: Annotated[str, Meta(min_length=1, max_length=4)]
    count: int = 1
    tags: list[str] = msgspec.field(default_factory=list)


class Create(msgspec.Struct):
    server: Server


def test_a_body_becomes_a_value() -> None:
    body = '{"server": {"name": "웹1", "count": 2, "tags": ["a"], "unknown": [1]}}'.encode()
    assert decode(body, Create) == Create(Server("웹1", 2, ["a"]))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "needs a JSON body"),
        (b"{", "Malformed request body: Input data was truncated."),
        (b"[]", "Malformed request body: Expected 'object', got 'array'."),
        (b"{}", "Malformed request body: Object missing required field 'server'."),
        (b'{"server": {}}', "Invalid input for field/attribute server. Object missing required"),
        (b'{"server": {"name": 1}}', "field/attribute server.name. Expected 'str', got 'int'."),
        (b'{"server": {"name": ""}}', "field/attribute server.name. Expected 'str' of length >="),
        (b'{"server": {"name": "a", "tags": [1]}}', "server.tags[0]. Expected 'str'"),
        (b'{"server": {"name": "a", "count": 1.5}}', "server.count. Expected 'int', got 'float'"),
        (b'{"server": {"name": "a", "count": 1e999}}', "Number out of range"),
        (b'{"server": {"name": "a\\u0000"}}', "NUL"),
        (b'{"server": {"name": "a\x00"}}', "Malformed request body"),
        (b'{"server": {"name": "\xff"}}', "Malformed request body"),
        (b'{"server": {"name": "\\ud800"}}', "Malformed request body"),
        (b'{"server": {"name": "\\ud83d\\u0041"}}', "Malformed request body"),
    ],
)
def test_what_is_wrong_is_said(body: bytes, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode(body, Create)
    assert said in refused.value.message
    assert "`" not in refused.value.message


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "field/attribute act. Expected 'object', got 'null'."),
        ({}, "field/attribute act. Object missing required field 'name'."),
        ({"name": 1}, "field/attribute act.name. Expected 'str', got 'int'."),
        ({"name": "a", "tags": [1]}, "field/attribute act.tags[0]. Expected 'str', got 'int'."),
    ],
)
def test_what_is_wrong_below_a_field_is_said_with_its_whole_path(value: Any, said: str) -> None:
    assert convert({"name": "a"}, Server, "act") == Server("a")
    with pytest.raises(Invalid) as refused:
        convert(value, Server, "act")
    assert refused.value.message == f"Invalid input for {said}"


def test_a_name_has_no_outer_spaces_and_something_between_them() -> None:
    assert trimmed("\t a b \n") == "a b"
    for blank in ("", " ", "\u3000"):
        with pytest.raises(Invalid, match=r"name\. Value: \. '' is too short"):
            trimmed(blank)


def test_a_name_is_of_characters_that_can_be_printed() -> None:
    for fine in ("웹 서버", "naïve\u3000café", "\U0001f600", "<b>/../%00"):
        assert trimmed(fine) == fine
    for odd in ("a\nb", "a\tb", "\x1b[31m", "a\x7fb", "a\u2028b", "a\u202eb", "a\ufeffb"):
        with pytest.raises(Invalid, match="cannot be printed"):
            trimmed(odd)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":', b'"', b'{"a":"'])
@pytest.mark.parametrize("depth", [65, 5_000, 200_000])
def test_deep_nesting_is_refused(opening: bytes, depth: int) -> None:
    for type_ in (Create, dict[str, Any], Any):
        with pytest.raises(Invalid):
            decode(opening * depth, type_)


def test_deep_nesting_is_refused_where_nobody_looks() -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    with pytest.raises(Invalid, match="nested too deeply"):
        decode(b'{"server": {"name": "a", "unknown": ' + deep + b"}}", Create)


def test_wide_is_not_deep() -> None:
    tags = ["[", "{", '"[', "\\[", "\\"] * 40
    body = msgspec.json.encode({"server": {"name": "a", "tags": tags, "x": [[]] * 500}})
    assert decode(body, Create).server.tags == tags
    levels = b"[" * 64 + b"]" * 64
    assert decode(levels, list[Any]) == msgspec.json.decode(levels)


@given(st.binary(max_size=200))
def test_no_body_raises_anything_else(body: bytes) -> None:
    for type_ in (Create, dict[str, Any]):
        with suppress(Invalid):
            decode(body, type_)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_JSON)
def test_any_json_is_a_value_or_a_refusal(value: object) -> None:
    for body in (msgspec.json.encode(value), msgspec.json.encode({"server": value})):
        with suppress(Invalid):
            assert isinstance(decode(body, Create), Create)
