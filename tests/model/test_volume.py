from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from sqlalchemy import Table

from hanok.model.volume import Volume, VolumeAttachment, VolumeType
from hanok.store.region_tables import volume_attachments, volume_types, volumes

KINDS = pytest.mark.parametrize(
    ("kind", "table"),
    [(Volume, volumes), (VolumeType, volume_types), (VolumeAttachment, volume_attachments)],
)


@KINDS
def test_it_has_the_columns_of_its_table(kind: Any, table: Table) -> None:
    assert {field.name for field in dataclasses.fields(kind)} == set(table.c.keys())


@KINDS
def test_it_does_not_change(kind: Any, table: Table) -> None:
    made: Any = kind(**dict.fromkeys(table.c.keys()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, table.c.keys()[0], "other")
