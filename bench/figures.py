"""What a bench finds: figures with their rounds, targets and ratios."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

MS = 1000.0
_Peer = TypeVar("_Peer")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be: at most, or at least, `value`."""

    sense: Literal["<=", ">="]
    value: float

    def reached(self, value: float) -> bool:
        """Tell whether a measured value is good enough."""
        return value <= self.value if self.sense == "<=" else value >= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value: the median of its rounds, in its unit ("x": a ratio)."""

    name: str
    unit: str
    rounds: tuple[float, ...]
    target: Target | None = None

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        return None if self.target is None else self.target.reached(self.value)

    def as_json(self) -> dict[str, Any]:
        """Return the figure as JSON-able values."""
        return {**asdict(self), "value": self.value, "reached": self.reached}


@dataclass(slots=True)
class Findings:
    """All that one bench found; `notes` say what was measured and what was left out."""

    bench: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self, name: str, unit: str, rounds: Sequence[float], target: Target | None = None
    ) -> None:
        """Take a figure in."""
        self.figures.append(Figure(name, unit, tuple(rounds), target))

    def add_ratio(
        self,
        name: str,
        rounds: Sequence[float],
        peer: Sequence[float],
        target: Target | None = None,
    ) -> None:
        """Take in how many times the peer's value each round's is."""
        ratios = [mine / theirs for mine, theirs in zip(rounds, peer, strict=True)]
        self.add(name, "x", ratios, target)

    def as_json(self) -> dict[str, Any]:
        """Return the findings as JSON-able values."""
        return {
            "bench": self.bench,
            "figures": [figure.as_json() for figure in self.figures],
            "notes": self.notes,
        }


def at_most(value: float) -> Target:
    """Return the target of being at most `value`."""
    return Target("<=", value)


def at_least(value: float) -> Target:
    """Return the target of being at least `value`."""
    return Target(">=", value)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values are at most (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def interleave(
    rounds: int, peers: Mapping[str, _Peer], measure: Callable[[_Peer], _Result]
) -> dict[str, list[_Result]]:
    """Measure every peer once in each round, and let another one begin each time.

    What changes on the machine meanwhile then meets all of them.
    """
    found: dict[str, list[_Result]] = {name: [] for name in peers}
    names = list(peers)
    for number in range(rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            found[name].append(measure(peers[name]))
    return found
