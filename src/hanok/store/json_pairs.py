"""What is inside a JSON object in a text column, asked for in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, cast, column, exists
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement


class _Pairs(FunctionElement[Any]):
    """The keys and values of a JSON object, as a table; a key needs no quoting, as in a path."""

    inherit_cache = True
    name = "pairs"


@compiles(_Pairs, "sqlite")
def _sqlite_pairs(element: _Pairs, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Pairs, "postgresql")
def _postgresql_pairs(element: _Pairs, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each_text(CAST({compiler.process(element.clauses, **options)} AS json))"


def has_pair(col: ColumnElement[Any], key: str, value: str) -> ColumnElement[bool]:
    """Return what holds of rows whose JSON object has this string at this key."""
    pair = _Pairs(col).table_valued(column("key"), column("value"))
    return exists().select_from(pair).where(pair.c.key == key, cast(pair.c.value, Text) == value)
