"""Pages of ordered lists: what comes after a row, by its values, so no row is seen twice.

The columns of a list must not be NULL (coalesce them), and the last one must be unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column to sort by, and in which direction."""

    column: ColumnElement[Any]
    descending: bool = False


def order(keys: Sequence[SortKey]) -> list[ColumnElement[Any]]:
    """Return the ORDER BY of a list."""
    return [key.column.desc() if key.descending else key.column.asc() for key in keys]


def after(keys: Sequence[SortKey], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return what holds of every row behind the one with `values`, one for each key."""
    ways: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for key, value in zip(keys, values, strict=True):
        bound = literal(value, key.column.type)
        further = key.column < bound if key.descending else key.column > bound
        ways.append(and_(*same, further))
        same.append(key.column == bound)
    return or_(*ways)
