"""The environment of real OpenStack clients, apart from Hanok's own packages."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from tests.e2e.region import Region
from tests.house.source import ROOT

PROGRAMS = ROOT / ".venv-clients" / "bin"


def program(name: str) -> Path:
    """Return a program of that environment; skips the test where nobody has made it."""
    path = PROGRAMS / name
    if not path.exists():
        pytest.skip(f"{path} is not there: `scripts/python.sh clients` makes it")
    return path


def clean() -> dict[str, str]:
    """This process's environment without any cloud's settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OS_", "HANOK_", "PYTHON"))
    }


def by_openrc(region: Region) -> dict[str, str]:
    """The settings of openrc, with nothing else."""
    lines = (region.state / "openrc").read_text().splitlines()
    pairs = (line.removeprefix("export ").partition("=") for line in lines)
    return {name: shlex.split(value)[0] for name, _, value in pairs}


def by_v2password(region: Region) -> dict[str, str]:
    """Those of openrc with the v2.0 log-in named."""
    return {**by_openrc(region), "OS_AUTH_TYPE": "v2password"}


def by_clouds_yaml(region: Region) -> dict[str, str]:
    """The cloud `hanok` of clouds.yaml, which logs in by v3."""
    return {"OS_CLIENT_CONFIG_FILE": str(region.state / "clouds.yaml"), "OS_CLOUD": "hanok"}
