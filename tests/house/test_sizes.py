"""Files, functions and argument lists stay small enough to read at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.house.source import Module, functions, modules, source

FOLDERS = ("src", "tests", "scripts", "bench")
FILE_LINES = 400
FUNCTION_LINES = 40
ARGUMENTS = 6
LISTS = "src/hanok/store/migrations/"
"""A migration lists a table's columns once and is never changed: long is not hard to read there."""


def oversized(module: Module) -> Iterator[str]:
    lines = len(module.text.splitlines())
    if lines > FILE_LINES:
        yield f"{module.path}: {lines} lines; split it, a file has at most {FILE_LINES}"
    for function in functions(module):
        where = f"{module.at(function)} {function.name}"
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES and not str(module.path).startswith(LISTS):
            yield f"{where}: {length} lines; split it, a function has at most {FUNCTION_LINES}"
        count = len(arguments(function))
        if count > ARGUMENTS:
            yield f"{where}: {count} arguments, at most {ARGUMENTS}: make a type of some"


def arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    listed = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    return [argument.arg for argument in listed if argument.arg not in {"self", "cls"}]


def test_everything_is_small_enough() -> None:
    breaches = [text for module in modules(*FOLDERS) for text in oversized(module)]
    assert not breaches, "\n" + "\n".join(breaches)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n" * 401, "401 lines"),
        ("def f():\n" + "    x = 1\n" * 40, "41 lines"),
        ("class C:\n    async def f(self):\n" + "        x = 1\n" * 40, "41 lines"),
        ("def f(a, b, c, /, d, e, *, g, h): ...", "7 arguments"),
    ],
)
def test_too_much_is_seen(text: str, said: str) -> None:
    breaches = list(oversized(source(text)))
    assert len(breaches) == 1
    assert said in breaches[0]


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n" * 400,
        "def f():\n" + "    x = 1\n" * 39,
        "class C:\n    def f(self, a, b, c, d, e, g, *rest): ...",
    ],
)
def test_just_enough_passes(text: str) -> None:
    assert list(oversized(source(text))) == []
