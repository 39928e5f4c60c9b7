"""Each dependency has a reason: its row in docs/dependencies.md, and no row is left over."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.house.source import ROOT

PAGE = "docs/dependencies.md"


def normal(requirement: str) -> str:
    """The name in a requirement, as package indexes compare names."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def declared(pyproject: str) -> set[str]:
    """The names of all direct dependencies: the project's, its groups', its build's."""
    data = tomllib.loads(pyproject)
    lists = [data["project"]["dependencies"], *data["dependency-groups"].values()]
    lists += [data["build-system"]["requires"]]
    return {normal(requirement) for requirements in lists for requirement in requirements}


def explained(page: str) -> set[str]:
    """The names in the first column of the page's tables that have something in every other."""
    rows = re.findall(r"^\| `([^`]+)` \|(.*)\|$", page, re.MULTILINE)
    return {normal(name) for name, cells in rows if all(cell.strip() for cell in cells.split("|"))}


def disagreements(pyproject: str, page: str) -> list[str]:
    wanted, there = declared(pyproject), explained(page)
    return [
        *(f"{name}: give it a full row in {PAGE}" for name in sorted(wanted - there)),
        *(
            f"{name}: its row in {PAGE} is about nothing in pyproject.toml"
            for name in sorted(there - wanted)
        ),
    ]


def unexplained_packages(listing: str) -> list[str]:
    """The lines of the list of Debian packages that give no reason."""
    lines = [line for line in listing.splitlines() if line and line[0] not in "#["]
    return [line for line in lines if len(line.split(maxsplit=1)) < 2]


def test_every_dependency_has_its_row_and_every_row_its_dependency() -> None:
    pyproject, page = (ROOT / "pyproject.toml").read_text(), (ROOT / PAGE).read_text()
    breaches = disagreements(pyproject, page)
    assert not breaches, "\n" + "\n".join(breaches)


def test_every_debian_package_has_a_reason() -> None:
    listing = (ROOT / "scripts" / "debian-packages.txt").read_text()
    assert re.findall(r"^\[(.*)\]$", listing, re.MULTILINE) == ["run", "image", "test", "clients"]
    assert unexplained_packages(listing) == []


PYPROJECT = """
[project]
dependencies = ["Some_Thing[extra]>=1"]
[dependency-groups]
dev = ["tool"]
[build-system]
requires = []
"""


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("| `some-thing` | why | MIT |", "tool: give it"),
        ("| `some-thing` | why | MIT |\n| `tool` |  | MIT |", "tool: give it"),
        ("| `some-thing` | w | M |\n| `tool` | w | M |\n| `old` | w | M |", "old: its row"),
    ],
)
def test_a_disagreement_is_seen(page: str, said: str) -> None:
    breaches = disagreements(PYPROJECT, page)
    assert len(breaches) == 1
    assert said in breaches[0]


def test_agreement_passes() -> None:
    assert disagreements(PYPROJECT, "| `some-thing` | w | M |\n| `tool` | w | M |") == []


def test_a_debian_package_without_a_reason_is_seen() -> None:
    assert unexplained_packages("# list\n[run]\nfoo  why\nbar\n") == ["bar"]
