from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hanok.model.credentials import Credentials


def credentials(*roles: str) -> Credentials:
    return Credentials("u", "kim", "p", "demo", frozenset(roles), 0, 1)


@pytest.mark.parametrize(
    ("roles", "operator"),
    [((), False), (("member", "reader"), False), (("Admin",), False), (("member", "admin"), True)],
)
def test_only_the_role_admin_makes_an_operator(roles: tuple[str, ...], operator: bool) -> None:
    assert credentials(*roles).is_admin is operator


def test_nobody_gives_himself_a_role() -> None:
    mine: Any = credentials("member")
    with pytest.raises(dataclasses.FrozenInstanceError):
        mine.roles = frozenset({"admin"})
