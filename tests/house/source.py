"""The project's own Python files, as the rules of the house look at them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "hanok"
SOURCE = ROOT / "src" / PACKAGE


@dataclass(frozen=True)
class Module:
    """One Python file: its path below the project's root, and its text."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def name(self) -> str:
        """Its name inside the package: `api.compute.servers`; empty for the package itself."""
        parts = list(self.path.with_suffix("").parts[2:])
        if parts and parts[-1] == "__init__":
            parts.pop()
        return ".".join(parts)

    @property
    def layer(self) -> str:
        """The first part of its name: `api`, `app`; empty for the package itself."""
        return self.name.split(".")[0]

    def at(self, node: ast.AST) -> str:
        """Where the node stands, as an editor takes it: `src/hanok/app.py:12`."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def modules(*folders: str) -> list[Module]:
    """Every Python file in the folders below the project's root, sorted by path."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [Module(path.relative_to(ROOT), path.read_text(encoding="utf-8")) for path in paths]


def source(text: str, path: str = "src/hanok/model/example.py") -> Module:
    """A module made up for a rule's own test."""
    return Module(Path(path), text)


def imported(module: Module) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the full dotted name of each thing that a module imports, with its statement.

    `from a import b` yields `a.b`, whether b is a module or a name in one.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            for alias in node.names:
                yield f"{base}.{alias.name}", node


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    inside = [PACKAGE, *module.path.with_suffix("").parts[2:]]
    return ".".join([*inside[: -node.level], *([node.module] if node.module else [])])


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method of a module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def docstrings(module: Module) -> set[ast.expr]:
    """The nodes of a module that are docstrings or other bare strings: text, not code."""
    return {
        node.value
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
