from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hanok.model.image import Image
from hanok.store.region_tables import images


def test_it_has_the_columns_of_its_table() -> None:
    assert {field.name for field in dataclasses.fields(Image)} == set(images.c.keys())


def test_it_does_not_change() -> None:
    values: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(Image))
    made: Any = Image(**values)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.name = "other"
