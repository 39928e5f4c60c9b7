"""Each module has its test at the same place: src/hanok/a/b.py in tests/a/test_b.py."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from tests.house.source import ROOT, Module, modules, source

EXCEPTIONS = Path(__file__).with_name("mirror_exceptions.txt")
# Folders of tests about more than one module.
EXTRA = {
    "house",
    "operations",
    "drivers",
    "faults",
    "regressions",
    "clients",
    "conformance",
    "e2e",
    "bench",
}


def has_code(module: Module) -> bool:
    """Whether there is something to test: a function or a class, not only names and imports."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return any(isinstance(node, kinds) for node in ast.walk(module.tree))


def mirror(path: PurePosixPath) -> PurePosixPath:
    """Where the test of src/hanok/a/b.py stands; `_b.py` and `__init__.py` lose the underscores."""
    inside = path.relative_to("src/hanok")
    return PurePosixPath("tests", inside.parent, f"test_{inside.stem.strip('_')}.py")


def untested(sources: list[Module], tests: set[str], exceptions: Mapping[str, str]) -> list[str]:
    """The modules that have neither a test nor a reason."""
    breaches = []
    for module in sources:
        path = module.path.as_posix()
        wanted = mirror(PurePosixPath(path)).as_posix()
        if has_code(module) and wanted not in tests and path not in exceptions:
            breaches.append(f"{path}: write {wanted}, or its reason in {EXCEPTIONS.name}")
    return breaches


def strays(tests: set[str], places: set[str], exceptions: Mapping[str, str]) -> list[str]:
    """The tests whose name says a module that is not there."""
    return [
        f"{test}: no such module; rename it, or put it into one of {', '.join(sorted(EXTRA))}"
        for test in sorted(tests - places)
        if PurePosixPath(test).parts[1] not in EXTRA and test not in exceptions
    ]


def stale(exceptions: Mapping[str, str], needed: set[str]) -> list[str]:
    """The exceptions that are no longer one, or have no reason."""
    gone = [
        f"{EXCEPTIONS.name}: {path} needs no exception" for path in exceptions if path not in needed
    ]
    bare = [
        f"{EXCEPTIONS.name}: {path} has no reason" for path, why in exceptions.items() if not why
    ]
    return gone + bare


def read_exceptions() -> dict[str, str]:
    lines = EXCEPTIONS.read_text(encoding="utf-8").splitlines()
    rows = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return {path: why.strip() for path, _, why in rows}


def present_tests() -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}


def places_of_tests(sources: list[Module]) -> set[str]:
    """Where a test may stand: beside a module, a package, or a module of the tests themselves."""
    files = [PurePosixPath(module.path.as_posix()) for module in sources]
    packages = {path.parent for path in files if len(path.parts) > 3}
    own = (path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))
    beside = {path.with_name(f"test_{path.name}") for path in own}
    return {path.as_posix() for path in {*map(mirror, [*files, *packages]), *beside}}


def test_every_module_has_its_test() -> None:
    breaches = untested(modules("src"), present_tests(), read_exceptions())
    assert not breaches, "\n" + "\n".join(breaches)


def test_every_test_has_its_module() -> None:
    breaches = strays(present_tests(), places_of_tests(modules("src")), read_exceptions())
    assert not breaches, "\n" + "\n".join(breaches)


def test_every_exception_is_one() -> None:
    sources, tests = modules("src"), present_tests()
    needed = {text.split(":")[0] for text in untested(sources, tests, {})}
    needed |= {text.split(":")[0] for text in strays(tests, places_of_tests(sources), {})}
    breaches = stale(read_exceptions(), needed)
    assert not breaches, "\n" + "\n".join(breaches)


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("src/hanok/app.py", "tests/test_app.py"),
        ("src/hanok/api/_errors.py", "tests/api/test_errors.py"),
        ("src/hanok/cli/__init__.py", "tests/cli/test_init.py"),
        ("src/hanok/store/migrations", "tests/store/test_migrations.py"),
    ],
)
def test_where_a_test_belongs(path: str, test: str) -> None:
    assert mirror(PurePosixPath(path)).as_posix() == test


def test_a_module_without_a_test_is_seen() -> None:
    path = "src/hanok/model/server.py"
    with_code = source("def f(): ...", path)
    assert len(untested([with_code], set(), {})) == 1
    assert untested([with_code], {"tests/model/test_server.py"}, {}) == []
    assert untested([with_code], set(), {path: "generated"}) == []
    assert untested([source("import os\nX = os.sep", path)], set(), {}) == []


def test_a_test_without_a_module_is_seen() -> None:
    tests = {"tests/model/test_server.py", "tests/faults/test_power.py"}
    assert len(strays(tests, set(), {})) == 1
    assert strays(tests, {"tests/model/test_server.py"}, {}) == []


def test_a_stale_exception_is_seen() -> None:
    assert len(stale({"a.py": "why"}, set())) == 1
    assert len(stale({"a.py": ""}, {"a.py"})) == 1
    assert stale({"a.py": "why"}, {"a.py"}) == []
