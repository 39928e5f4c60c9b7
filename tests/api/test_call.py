from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pytest

from hanok.api._addresses import Base
from hanok.api._call import Answer, Call, Endpoint
from hanok.api._query import Query
from hanok.model.credentials import Credentials

WHO = Credentials("u", "kim", "p", "demo", frozenset({"member"}), 0, 1)


def call(headers: Mapping[str, str] = MappingProxyType({}), **more: Any) -> Call:
    nothing = cast(Any, None)
    base = Base("http://test", "http")
    return Call(nothing, base, {}, Query(""), headers, b"", "req-1", **more)


def test_a_handler_gets_what_its_route_and_its_token_say() -> None:
    region = cast(Any, object())
    one = call(_region=region, _credentials=WHO)
    assert one.region is region
    assert one.credentials is WHO


def test_to_read_what_the_endpoint_did_not_ask_for_is_a_bug() -> None:
    """Not a None that some later line trips over, or takes for "nobody in particular"."""
    with pytest.raises(AssertionError):
        _ = call().region
    with pytest.raises(AssertionError):
        _ = call().credentials


@pytest.mark.parametrize(
    ("said", "kind"),
    [("Application/JSON; charset=utf-8", "application/json"), (" text/plain ", "text/plain")],
)
def test_what_a_body_is_said_to_be_is_read_without_its_parameters(said: str, kind: str) -> None:
    assert call({"content-type": said}).content_type == kind
    assert call().content_type == ""


def test_a_body_that_is_not_streamed_has_no_blocks() -> None:
    assert list(call().blocks) == []
    first, second = call(), call()
    assert first.blocks is not second.blocks


def test_an_answer_is_json_unless_it_says_otherwise() -> None:
    answer = Answer()
    assert (answer.status, answer.body, answer.file) == (200, None, None)
    assert answer.content_type == "application/json"
    assert dict(answer.headers) == {}
    assert Answer(file=Path("/x")).file == Path("/x")


def test_an_endpoint_asks_for_a_token_unless_it_says_otherwise() -> None:
    endpoint = Endpoint("GET", "/x", lambda _call: Answer())
    assert endpoint.auth
    assert not endpoint.slow
    assert not endpoint.stream
    assert endpoint.permission is None
