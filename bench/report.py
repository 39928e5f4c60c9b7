"""Shows what benches found: a table for people, JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, Findings

RESULTS = Path(__file__).parent / "results"


def show(found: Findings, console: Console) -> None:
    """Print a bench's figures and notes."""
    table = Table(title=found.bench, title_justify="left", title_style="bold")
    table.add_column("figure")
    for heading in ("median", "lowest", "highest", "target"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for figure in found.figures:
        table.add_row(*_cells(figure))
    console.print(table)
    for note in found.notes:
        console.print(f"  {note}", highlight=False)


def _cells(figure: Figure) -> list[str]:
    target = ""
    if figure.target is not None:
        target = f"{figure.target.sense} {_number(figure.target.value)}"
    said = {None: "", True: "[green]reached[/]", False: "[red]MISSED[/]"}[figure.reached]
    return [
        figure.name,
        f"{_number(figure.value)} {figure.unit}",
        _number(min(figure.rounds)),
        _number(max(figure.rounds)),
        target,
        said,
    ]


def _number(value: float) -> str:
    """Write three figures, no more."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def machine() -> dict[str, Any]:
    """Say what it was measured on."""
    return {
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version(name) for name in ("falcon", "sqlalchemy", "uvicorn")},
    }


def save(all_found: Sequence[Findings], folder: Path) -> Path:
    """Write the run's figures with all their rounds; return the file."""
    folder.mkdir(exist_ok=True)
    path = folder / time.strftime("%Y%m%d-%H%M%S.json")
    content = {"machine": machine(), "benches": [found.as_json() for found in all_found]}
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path
