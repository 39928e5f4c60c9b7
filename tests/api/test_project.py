from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hanok.api._project import named_project
from hanok.model.errors import Invalid


def call(project: str) -> Any:
    return SimpleNamespace(params={"project": project})


def test_a_project_that_has_nothing_yet_is_named_by_its_id() -> None:
    assert named_project(call("0123456789abcdef" * 2), "{}?") == "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "named", ["", "demo", "a" * 31, "a" * 33, "A" * 32, "a" * 32 + "\n", "{0}"]
)
def test_anything_else_is_refused_by_its_name(named: str) -> None:
    with pytest.raises(Invalid) as caught:
        named_project(call(named), "No project: {}.")
    assert caught.value.message == f"No project: {named}."
