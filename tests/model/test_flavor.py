from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hanok.model.flavor import Flavor
from hanok.store.region_tables import flavors


def test_it_has_the_columns_of_its_table() -> None:
    assert {field.name for field in dataclasses.fields(Flavor)} == set(flavors.c.keys())


def test_it_does_not_change() -> None:
    values: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(Flavor))
    made: Any = Flavor(**values)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.name = "other"
