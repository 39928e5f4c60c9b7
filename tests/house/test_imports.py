"""Who may import what: the walls between the layers, and the one door to each outside thing."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.house.source import PACKAGE, Module, docstrings, imported, modules, source

# Layer: what of ours it may import, each with everything below it. Its own layer is always
# allowed. None: everything (wiring).
OURS: dict[str, tuple[str, ...] | None] = {
    "": (),
    "__main__": ("cli",),
    "app": None,
    "machine": None,
    "config": (),
    "cli": ("app", "config", "model.errors", "telemetry.logs"),
    "console": (),
    "telemetry": (),
    "model": (),
    "policy": ("model",),
    "placement": ("model",),
    "media": ("model",),
    "guest": ("model",),
    "store": ("model",),
    "engine": ("store", "model"),
    "drivers": ("model", "media", "guest"),
    "operations": ("engine", "model", "placement", "drivers.base", "store", "guest.config_drive"),
    "reconcile": ("operations", "engine", "model", "placement", "drivers.base", "store"),
    "api": (
        *("operations", "model", "policy", "placement", "store"),
        *("telemetry", "guest.config_drive"),
    ),
}

# Outside module: the only layers that may import it.
OUTSIDE: dict[str, tuple[str, ...]] = {
    "sqlalchemy": ("store",),
    "alembic": ("store",),
    "psycopg": ("store",),
    "sqlite3": ("store",),
    "libvirt": ("drivers.libvirt",),
    "libvirt_qemu": ("drivers.libvirt",),
    "falcon": ("api", "app", "console"),
    "uvicorn": ("app", "cli"),
}

# Program: the only layers that may name it in code.
PROGRAMS: dict[str, tuple[str, ...]] = {"qemu-img": ("media",)}

CLOCK = "engine.clock"
BELOW_API = {
    *("model", "policy", "placement", "operations", "engine", "reconcile"),
    *("store", "media", "guest", "drivers"),
}
# Reads of time or chance, by full name; with everything below it.
GUARDED = (
    *("time", "random", "secrets", "uuid", "os.urandom", "os.getrandom"),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"),
    "datetime.date.today",
)
# What of these is neither, and so free for all below the API.
FREE = {"secrets.compare_digest", "uuid.UUID", "uuid.uuid5", "uuid.NAMESPACE_URL"}
# What a layer may use besides: reality is waited for in real time, a simulated world draws from
# a seed of its own.
FREE_IN = {
    "drivers": {"time.monotonic", "time.sleep", "random.Random"},
    "media": {"time.monotonic", "time.sleep"},
    "guest": {"time.monotonic", "time.sleep"},
}


def covers(allowed: str, name: str) -> bool:
    return name == allowed or name.startswith(allowed + ".")


def breaches_of_layers(module: Module) -> Iterator[str]:
    if module.layer not in OURS:
        yield f"{module.path}: layer {module.layer!r} has no row in OURS: decide what it may import"
        return
    allowed = OURS[module.layer]
    for full, node in imported(module):
        if allowed is None or not covers(PACKAGE, full):
            continue
        name = full.removeprefix(PACKAGE).lstrip(".")
        # `from hanok import __version__` takes from the package itself.
        inside = name.split(".")[0] == module.layer or name.split(".")[0] not in OURS
        if not inside and not any(covers(part, name) for part in allowed):
            may = ", ".join(allowed) or "nothing of ours"
            yield (
                f"{module.at(node)}: {module.layer or PACKAGE} may import {may}, not {name}; "
                "take it as an argument and let app.py hand it in"
            )


def breaches_of_doors(module: Module) -> Iterator[str]:
    for full, node in imported(module):
        for outside, layers in OUTSIDE.items():
            if covers(outside, full) and not any(covers(layer, module.name) for layer in layers):
                yield f"{module.at(node)}: only {', '.join(layers)} imports {outside}"
    text = docstrings(module)
    for literal in ast.walk(module.tree):
        if not isinstance(literal, ast.Constant) or literal in text:
            continue
        for program, layers in PROGRAMS.items():
            if program in str(literal.value) and module.layer not in layers:
                yield f"{module.at(literal)}: only {', '.join(layers)} runs {program}"


def breaches_of_clock(module: Module) -> Iterator[str]:
    if module.layer not in BELOW_API or module.name == CLOCK:
        return
    free = FREE | FREE_IN.get(module.layer, set())
    for name, node in used_names(module):
        guarded = any(covers(guard, name) for guard in GUARDED)
        if guarded and not any(covers(part, name) for part in free):
            yield (
                f"{module.at(node)}: {name} reads time or chance; "
                "take the value, or the clock, as an argument (engine/clock.py)"
            )


def used_names(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield the full name of each thing of another module that the module names, with its place."""
    full: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            full |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            full |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)
    for expression in ast.walk(module.tree):
        first, *rest = dotted(expression).split(".")
        if rest and first in full:
            yield ".".join([full[first], *rest]), expression


def dotted(node: ast.AST) -> str:
    """The text `a.b.c` of a chain of attributes that starts at a name; empty for all else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (start := dotted(node.value)):
        return f"{start}.{node.attr}"
    return ""


RULES: list[Callable[[Module], Iterator[str]]] = [
    breaches_of_layers,
    breaches_of_doors,
    breaches_of_clock,
]


@pytest.mark.parametrize("rule", RULES)
def test_the_source_keeps_the_rule(rule: Callable[[Module], Iterator[str]]) -> None:
    breaches = [text for module in modules("src") for text in rule(module)]
    assert not breaches, "\n" + "\n".join(breaches)


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("api/a.py", "from hanok.drivers import base", "api may import"),
        ("api/a.py", "import hanok.engine.journal", "not engine.journal"),
        ("api/a.py", "from ..engine import journal", "not engine.journal"),
        ("api/compute/a.py", "from ...reconcile.audit import run", "not reconcile.audit.run"),
        ("model/a.py", "from hanok.store.tables import servers", "nothing of ours"),
        ("operations/a.py", "from hanok.drivers.libvirt import domain", "not drivers.libvirt"),
        ("operations/a.py", "def f():\n    import hanok.app", "not app"),
        (
            "engine/a.py",
            "if TYPE_CHECKING:\n    from hanok.drivers.base import Host",
            "not drivers",
        ),
        ("telemetry/a.py", "from hanok import model", "not model"),
        ("cli/a.py", "from hanok.store import open_store", "not store"),
        ("newroom/a.py", "", "has no row in OURS"),
    ],
)
def test_a_wrong_import_is_seen(path: str, text: str, said: str) -> None:
    breaches = list(breaches_of_layers(source(text, f"src/hanok/{path}")))
    assert len(breaches) == 1
    assert said in breaches[0]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app.py", "from hanok.drivers.libvirt import connect\nimport hanok.engine"),
        ("operations/a.py", "from hanok.drivers import base\nfrom hanok.drivers.base import Host"),
        ("api/compute/a.py", "from hanok import __version__\nfrom .. import _errors"),
        ("drivers/libvirt/a.py", "import libvirt\nfrom hanok.media import disks"),
        ("cli/a.py", "import hanok.app\nfrom hanok.config import Config"),
        ("store/a.py", "import sqlite3, sqlalchemy.dialects\nfrom psycopg import errors"),
        ("media/a.py", "run(['qemu-img', 'info'])"),
        ("drivers/a.py", '"""Runs no qemu-img."""\nimport time\ntime.sleep(time.monotonic())'),
        ("drivers/simulated/a.py", "import random\nrandom.Random(7)"),
        ("engine/clock.py", "import time, secrets\ntime.time()\nsecrets.token_hex()"),
        ("model/a.py", "from uuid import UUID\nfrom datetime import datetime"),
        ("api/a.py", "import time\ntime.time()"),
        ("engine/a.py", "from hanok.engine.clock import Clock\ndef f(clock): clock.now()"),
    ],
)
def test_a_right_module_passes(path: str, text: str) -> None:
    module = source(text, f"src/hanok/{path}")
    assert [breach for rule in RULES for breach in rule(module)] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("api/a.py", "import sqlalchemy"),
        ("engine/a.py", "from sqlalchemy.sql import select"),
        ("drivers/simulated/a.py", "import sqlite3"),
        ("drivers/simulated/a.py", "import libvirt"),
        ("operations/a.py", "import falcon"),
        ("drivers/a.py", "run(['qemu-img', 'info'])"),
        ("drivers/a.py", "run(f'qemu-img {x}')"),
    ],
)
def test_a_wrong_door_is_seen(path: str, text: str) -> None:
    assert len(list(breaches_of_doors(source(text, f"src/hanok/{path}")))) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("model/a.py", "import time\ntime.time()"),
        ("model/a.py", "import time as t\nt.monotonic()"),
        ("store/a.py", "from time import time"),
        ("store/a.py", "from datetime import datetime\ndatetime.now(UTC)"),
        ("store/a.py", "import datetime as dt\ndt.datetime.now(dt.UTC)"),
        ("media/a.py", "import os as system\nsystem.getrandom(8)"),
        ("engine/journal.py", "import uuid\nuuid.uuid4()"),
        ("operations/a.py", "import secrets\nsecrets.token_urlsafe()"),
        ("placement/a.py", "import random\nrandom.Random(7)"),
        ("drivers/a.py", "import time\ntime.time()"),
        ("media/a.py", "import os\nos.urandom(8)"),
    ],
)
def test_a_read_of_time_or_chance_is_seen(path: str, text: str) -> None:
    assert len(list(breaches_of_clock(source(text, f"src/hanok/{path}")))) == 1
