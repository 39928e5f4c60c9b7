"""The delays and failures of a simulated host, as its fault plan has them.

The plan is the configuration's, or that of `faults.json` in the world's folder while there is one:
it is looked at before every call and all through a hang, so that faults can be injected into a
process, and taken out of it, from outside. A changed plan starts to count anew.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

import msgspec

from hanok.drivers.simulated.config import FailureRule, FaultPlan, Seconds
from hanok.model.errors import HostError, Invalid

P = ParamSpec("P")
R = TypeVar("R")

_SLICE = 0.05  # seconds between two looks at the plan in a long wait


class Misbehaving:
    """A driver that has faults: `part` is its name in the names of verbs."""

    part: ClassVar[str]

    def __init__(self, faults: Faults) -> None:
        self.faults = faults


D = TypeVar("D", bound=Misbehaving)


def with_faults(method: Callable[Concatenate[D, P], R]) -> Callable[Concatenate[D, P], R]:
    """Carry a driver's method out as the fault plan says."""

    @functools.wraps(method)
    def misbehaving(self: D, /, *args: P.args, **kwargs: P.kwargs) -> R:
        verb = f"{self.part}.{method.__name__}"
        subject = _subject((*args, *kwargs.values()))
        return self.faults.carry_out(verb, subject, lambda: method(self, *args, **kwargs))

    return misbehaving


@dataclass(frozen=True, slots=True)
class _Fate:
    """What becomes of one call."""

    delay: float
    rule: FailureRule | None


class Faults:
    """Decides what becomes of each call, and waits for it."""

    def __init__(self, path: Path, plan: FaultPlan) -> None:
        self._path = path
        self._configured = plan
        self._guard = threading.Lock()
        self._closed = threading.Event()
        self._seen: tuple[int, int, int] | None = None
        self._use(plan)

    def carry_out(self, verb: str, subject: str, call: Callable[[], R]) -> R:
        """Make the call, or not, or late, as its fate is."""
        with self._guard:
            self._look()
            fate = self._fate(verb, subject)
        self._wait(fate.delay)
        if fate.rule is None:
            return call()
        self._wait(fate.rule.hang_s, fate.rule)
        if fate.rule.outcome == "refused":
            raise fate.rule.error(verb, subject)
        result = call()
        if fate.rule.outcome == "answer_lost":
            raise fate.rule.error(verb, subject)
        return result

    def shutdown_time(self) -> float:
        """Draw how long a guest takes to shut down, in seconds."""
        with self._guard:
            self._look()
            return self._between(self._plan.shutdown_s, "shutdown")

    def close(self) -> None:
        """End every wait: the calls that are in one fail."""
        self._closed.set()

    def _use(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._counts: Counter[FailureRule] = Counter()
        self._chances: dict[str, Random] = {}

    def _look(self) -> None:
        """Take over `faults.json` where it has changed."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            if self._seen is not None:
                self._use(self._configured)
                self._seen = None
            return
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        if seen != self._seen:
            self._use(self._read())
            self._seen = seen

    def _read(self) -> FaultPlan:
        try:
            return FaultPlan.from_dict(msgspec.json.decode(self._path.read_bytes(), type=dict))
        except (msgspec.DecodeError, Invalid, OSError) as error:
            raise HostError(
                "The simulated host cannot read its faults.",
                detail=f"{self._path}: {error}",
            ) from error

    def _fate(self, verb: str, subject: str) -> _Fate:
        delay = self._between(self._plan.delay(verb), verb)
        fate = None
        for rule in self._plan.failures:
            if not rule.matches(verb, subject):
                continue
            self._counts[rule] += 1
            strikes = rule.meets(self._counts[rule]) and self._strikes(rule, verb)
            if strikes and fate is None:
                fate = rule
        return _Fate(delay, fate)

    def _strikes(self, rule: FailureRule, verb: str) -> bool:
        return rule.probability == 1 or self._chance(verb).random() < rule.probability

    def _between(self, seconds: Seconds, what: str) -> float:
        shortest, longest = seconds
        return shortest if shortest == longest else self._chance(what).uniform(shortest, longest)

    def _chance(self, what: str) -> Random:
        # One stream for each verb: what other verbs' threads draw meanwhile changes nothing here.
        if what not in self._chances:
            self._chances[what] = Random(f"{self._plan.seed}/{what}")  # noqa: S311 - must repeat
        return self._chances[what]

    def _wait(self, seconds: float, rule: FailureRule | None = None) -> None:
        """Wait so long; a wait for a rule ends when the rule is withdrawn."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._withdrawn(rule):
            if self._closed.wait(min(left, _SLICE)):
                raise HostError("The host is closing.", detail="closed during a simulated delay")

    def _withdrawn(self, rule: FailureRule | None) -> bool:
        if rule is None:
            return False
        with self._guard:
            self._look()
            return rule not in self._plan.failures


def _subject(args: tuple[Any, ...]) -> str:
    """Return the id that a call is about: an id comes first, in arguments and in specs."""
    first = args[0] if args else ""
    if is_dataclass(first):
        first = getattr(first, fields(first)[0].name)
    return first if isinstance(first, str) else ""
