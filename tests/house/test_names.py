"""Names say what a thing is; a module for anything is a module for nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.source import Module, modules, source

FOLDERS = ("src", "tests", "scripts", "bench")
EMPTY = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}


def words(name: str) -> set[str]:
    """The words of a name in snake or camel case, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def empty_names(module: Module) -> Iterator[str]:
    for part in module.path.with_suffix("").parts:
        for word in sorted(words(part) & EMPTY):
            yield f"{module.path}: {word!r} in a file's name says nothing: name what it holds"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            for word in sorted(words(node.name) & EMPTY):
                yield f"{module.at(node)} {node.name}: {word!r} says nothing: name what it is"


def test_every_name_says_something() -> None:
    breaches = [text for module in modules(*FOLDERS) for text in empty_names(module)]
    assert not breaches, "\n" + "\n".join(breaches)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/hanok/api/utils.py", ""),
        ("src/hanok/common/paging.py", ""),
        ("tests/disk_helpers.py", ""),
        ("src/hanok/engine/a.py", "class LeaseManager: ..."),
        ("src/hanok/engine/a.py", "def f():\n    class HTTPUtil: ..."),
    ],
)
def test_an_empty_name_is_seen(path: str, text: str) -> None:
    assert len(list(empty_names(source(text, path)))) == 1


@pytest.mark.parametrize("name", ["Commons", "UncommonCase", "Utility", "Managed"])
def test_a_name_that_only_looks_alike_passes(name: str) -> None:
    assert list(empty_names(source(f"class {name}: ..."))) == []
