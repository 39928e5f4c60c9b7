"""Column types and SQL expressions that read the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Dialect, Integer, Text, TypeDecorator, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import FunctionElement

_encode = msgspec.json.encode
_decode = msgspec.json.decode

Serial = BigInteger().with_variant(Integer(), "sqlite")
"""A key that counts up; SQLite counts only for INTEGER PRIMARY KEY."""

Instant = BigInteger
"""A moment: microseconds since 1970-01-01T00:00:00Z, always taken from the engine's clock."""


class Json(TypeDecorator[Any]):
    """Any JSON value, kept as text on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Encode for the database; None stays NULL."""
        return None if value is None else _encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Decode what the database holds."""
        return None if value is None else _decode(value)


class json_rows(FunctionElement[Any]):  # noqa: N801 - reads as the SQL function it is
    """Aggregate rows into one JSON array of objects: `json_rows(name=column, …)`."""

    inherit_cache = True
    type = Json()

    def __init__(self, columns: Mapping[str, ColumnElement[Any]]) -> None:
        pairs: list[ColumnElement[Any]] = []
        for name, column in columns.items():
            pairs += [literal_column(f"'{name}'"), column]
        super().__init__(*pairs)


@compiles(json_rows, "sqlite")
def _sqlite_json_rows(element: json_rows, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_object({compiler.process(element.clauses, **options)}))"


@compiles(json_rows, "postgresql")
def _postgresql_json_rows(element: json_rows, compiler: SQLCompiler, **options: Any) -> str:
    arguments = compiler.process(element.clauses, **options)
    return f"CAST(coalesce(json_agg(json_build_object({arguments})), '[]') AS text)"
