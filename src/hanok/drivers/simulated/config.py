"""What a simulated host is told: its size, its images, its delays and its failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Literal, Self

import msgspec

from hanok.drivers.verbs import VERBS
from hanok.model.errors import HostError, Invalid

GIB = 1 << 30
Seconds = tuple[float, float]
"""The shortest and the longest of a random time."""


@dataclass(frozen=True, slots=True)
class FailureRule:
    """Which calls go wrong, and how. `verb` is a verb's name or a pattern, "storage.*".

    Of the calls that `verb` and `id` (the object's id) match, the rule meets all; with `nth` the
    nth only, counted from 1; with `times` that many, from the nth or the first on. Of those it
    meets, each goes wrong with `probability`.

    `hang_s` holds the call for so many seconds first, or until the rule is withdrawn. Then, by
    `outcome`: "refused" raises and does nothing; "answer_lost" does the thing and raises all the
    same; "late" does the thing and raises nothing. What is raised is a HostError with `message`
    and `permanent`.
    """

    verb: str
    probability: float = 1.0
    nth: int | None = None
    times: int | None = None
    id: str | None = None
    permanent: bool = False
    message: str = "The simulated host refused the request."
    hang_s: float = 0.0
    outcome: Literal["refused", "answer_lost", "late"] = "refused"

    def __post_init__(self) -> None:
        """Refuse what can never happen."""
        _check_pattern(self.verb)
        if not 0 <= self.probability <= 1:
            raise Invalid(f"A failure's probability is from 0 to 1, not {self.probability}.")
        if self.nth is not None and self.nth < 1:
            raise Invalid(f"A failure's nth call is counted from 1, not {self.nth}.")
        if self.times is not None and self.times < 1:
            raise Invalid(f"A failure happens at least once, not {self.times} times.")
        if self.hang_s < 0:
            raise Invalid(f"A call hangs for 0 seconds or more, not {self.hang_s}.")

    def matches(self, verb: str, subject: str) -> bool:
        """Whether the rule is about this call."""
        return fnmatchcase(verb, self.verb) and self.id in {None, subject}

    def meets(self, number: int) -> bool:
        """Whether the rule meets the matching call of that number, counted from 1."""
        first = self.nth or 1
        times = self.times or (1 if self.nth else None)
        return number >= first and (times is None or number < first + times)

    def error(self, verb: str, subject: str) -> HostError:
        """Return what the call raises."""
        detail = f"injected: {verb} {subject}".rstrip()
        return HostError(self.message, detail=detail, permanent=self.permanent)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """How a simulated host misbehaves; as it stands, not at all.

    `delays` maps verbs or patterns to (shortest, longest) seconds of each call; the first that
    matches counts. `shutdown_s` is how long a guest takes from being asked to shut down until it
    is off. `seed` makes chance repeatable: the nth call of a verb has the same luck in each run.
    """

    seed: int = 0
    delays: Mapping[str, Seconds] = field(default_factory=dict)
    failures: tuple[FailureRule, ...] = ()
    shutdown_s: Seconds = (0.0, 0.0)

    def __post_init__(self) -> None:
        """Refuse unknown verbs and times that end before they start."""
        for pattern in self.delays:
            _check_pattern(pattern)
        for shortest, longest in (*self.delays.values(), self.shutdown_s):
            if not 0 <= shortest <= longest:
                raise Invalid(f"A delay is [shortest, longest], not [{shortest}, {longest}].")

    def delay(self, verb: str) -> Seconds:
        """Return how long a call of the verb takes."""
        for pattern, seconds in self.delays.items():
            if fnmatchcase(verb, pattern):
                return seconds
        return (0.0, 0.0)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read it from a table, as TOML and JSON give one; raise Invalid for what it cannot be."""
        _check_keys(cls, values)
        failures = values.get("failures", ())
        for rule in failures if isinstance(failures, list | tuple) else ():
            if isinstance(rule, Mapping):
                _check_keys(FailureRule, rule)
        try:
            return msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise Invalid(f"The simulated driver cannot be told this: {error}.") from error


@dataclass(frozen=True, slots=True)
class SimulatedConfig(FaultPlan):
    """A simulated host: its capacity, the images it has, and its fault plan.

    `images` maps image ids to their virtual sizes in bytes; None: every image is there, and has
    `image_bytes`.
    """

    vcpus: int = 64
    ram_mib: int = 256 * 1024
    disk_gib: int = 4096
    images: Mapping[str, int] | None = None
    image_bytes: int = GIB

    def image_size(self, image_id: str) -> int | None:
        """Return an image's virtual size in bytes, None when the host does not have it."""
        return self.image_bytes if self.images is None else self.images.get(image_id)


def _check_pattern(pattern: str) -> None:
    if not any(fnmatchcase(verb, pattern) for verb in VERBS):
        raise Invalid(f"No verb of a host is like {pattern!r}; there are {', '.join(VERBS)}.")


def _check_keys(cls: type, values: Mapping[str, Any]) -> None:
    # msgspec passes over keys that a dataclass does not have; a fault misspelled is no fault.
    known = [part.name for part in fields(cls)]
    for key in values:
        if key not in known:
            raise Invalid(f"The simulated driver knows no {key!r}; it knows {', '.join(known)}.")
