from __future__ import annotations

import json

import pytest

from hanok.api._views import Views, encode


def test_views_are_written_as_a_list() -> None:
    views = Views([1, 2, 3], lambda number: {"id": number})
    assert json.loads(encode({"servers": views})) == {"servers": [{"id": 1}, {"id": 2}, {"id": 3}]}
    assert encode(Views([], lambda number: {"id": number})) == b"[]"


def test_views_read_as_a_sequence() -> None:
    views = Views("abc", lambda letter: {"id": letter})
    assert len(views) == 3
    assert views[-1] == {"id": "c"}
    assert views[1:] == [{"id": "b"}, {"id": "c"}]
    assert [view["id"] for view in views] == ["a", "b", "c"]


def test_a_view_is_made_when_it_is_looked_at() -> None:
    made: list[int] = []

    def view(number: int) -> dict[str, int]:
        made.append(number)
        return {"id": number}

    views = Views([1, 2], view)
    assert made == []
    encode(views)
    assert made == [1, 2]


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="object cannot be written"):
        encode({"any": object()})
