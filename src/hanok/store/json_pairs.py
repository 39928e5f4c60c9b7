"""What is inside a JSON object in a text column, asked for in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, Text, cast, column, exists, literal
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


class _Number(FunctionElement[int]):
    """The integer at a key of a JSON object, NULL where there is none."""

    inherit_cache = True
    type = Integer()


@compiles(_Number, "sqlite")
def _sqlite_number(element: _Number, compiler: SQLCompiler, **options: Any) -> str:
    col, key = (compiler.process(one, **options) for one in element.clauses)
    return f"CAST({col} ->> {key} AS INTEGER)"


@compiles(_Number, "postgresql")
def _postgresql_number(element: _Number, compiler: SQLCompiler, **options: Any) -> str:
    col, key = (compiler.process(one, **options) for one in element.clauses)
    return f"CAST(CAST({col} AS json) ->> {key} AS integer)"


def number_at(col: ColumnElement[Any], key: str) -> ColumnElement[int]:
    """Return the integer that a row's JSON object has at this key; NULL where it has none."""
    return _Number(col, literal(key, Text))
