"""Whether an answer has every field that the guide's table names, of its type and in its format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.conformance.guide import Field, Operation, documented_statuses

MISSING = object()
"""Stands where a field is named and there is none."""
ERRATA = {
    "availabilityZoneInfo.available": ("availabilityZoneInfo.zoneState.available", "Boolean"),
}
"""Rows that the guide's own example contradicts: where the field is, and what it is, in truth."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PATTERN_OF_A_TIME = re.compile(r"YYYY-MM-DDThh:mm:ss(?:\.s{6}|Z)?", re.IGNORECASE)
_EITHER = re.compile(r"Either (\w+) or (\w+)")
_ONLY_AT_TIMES = "Visible if "


def breaches(operation: Operation, answer: Any, *, at_times: bool = False) -> list[str]:
    """Say what of the table the answer does not keep; nothing, when it keeps all of it.

    `at_times` asks for the fields, too, that the guide shows in some answers only.
    """
    found = []
    for field in operation.fields():
        if _ONLY_AT_TIMES in field.text and not at_times:
            continue
        path, kind = located(operation, field)
        values = list(reached(answer, path))
        if not values:
            found.append(f"{field.name}: the lists on the way to it are empty")
        examples = list(reached(operation.answer.example, path))
        found += [
            f"{field.name}: {'it is missing' if value is MISSING else f'{value!r} is no {kind}'}"
            for value in values
            if not (_fits(field, kind, value) or _shown_empty(value, examples))
        ]
    return found


def located(operation: Operation, field: Field) -> tuple[tuple[str, ...], str]:
    """Return where a field is in an answer and its format.

    Some rows leave out the object that all others begin with (`id` for `servers.id`).
    """
    name, kind = ERRATA.get(field.name, (field.name, field.format))
    path = Field(name, "Body", kind, None, "").path
    root = operation.fields()[0].path[0]
    return (path if path[0] == root else (root, *path)), kind


def reached(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield what a path leads to, through every item of a list and every name of the user's."""
    if not path:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from reached(item, path)
    elif not isinstance(value, dict):
        yield MISSING
    elif path[0].startswith('"'):
        for item in value.values():
            yield from reached(item, path[1:])
    elif path[0] in value:
        yield from reached(value[path[0]], path[1:])
    else:
        yield MISSING


def _shown_empty(value: Any, examples: list[Any]) -> bool:
    """Whether a value is null or blank where the guide's example shows just that."""
    return value in (None, "") and value in examples


def _fits(field: Field, kind: str, value: Any) -> bool:
    if kind == "Datetime":
        return _is_time(field, value)
    if kind == "Enum":
        return value in _words(field)
    return _IS[kind](value)


_IS = {
    "UUID": lambda value: isinstance(value, str) and bool(_UUID.fullmatch(value)),
    "String": lambda value: isinstance(value, str),
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: isinstance(value, float),
    "Boolean": lambda value: isinstance(value, bool),
    "Array": lambda value: isinstance(value, list),
    # The guide calls a list of objects an object, too.
    "Object": lambda value: (
        isinstance(value, dict)
        or (isinstance(value, list) and all(isinstance(item, dict) for item in value))
    ),
}


def _is_time(field: Field, value: Any) -> bool:
    """Whether a value is written as the pattern in the field's row says."""
    pattern = _PATTERN_OF_A_TIME.search(field.text)
    assert pattern is not None, f"{field.name} says no pattern: {field.text}"
    digits = re.sub(r"[YMDhms]", r"\\d", pattern[0].replace("S", "s").replace(".", r"\."))
    return isinstance(value, str) and bool(re.fullmatch(digits, value))


def _words(field: Field) -> frozenset[str]:
    """The words that an enumeration may be."""
    if field.path[-1] == "status":
        return documented_statuses()
    either = _EITHER.search(field.text)
    assert either is not None, f"{field.name} says no words: {field.text}"
    return frozenset(either.groups())
