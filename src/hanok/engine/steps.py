"""What an operation is: a named, versioned list of steps, each with its undo.

Two kinds of step. A *control step* writes rows, in the transaction that also journals its result.
A *host step* is one driver call whose arguments and result lie in the journal, and touches no
table; the next control step applies what it found. Nothing fallible follows a commit within a step.

The list is expanded once, at submit (`Planned`), and stored; recovery never works it out again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hanok.engine.sealing import Sealer
from hanok.store.database import Reader, Transaction

CONTROL = "control"
"""The place where control steps run; a host step's place is its host's id."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a step is tried and how long the pauses are, in seconds."""

    times: int = 3
    first: float = 0.2
    factor: float = 3.0
    longest: float = 30.0

    def pause(self, attempt: int) -> float:
        """Return the pause after the given attempt (1 is the first)."""
        return min(self.longest, self.first * self.factor ** (attempt - 1))


@dataclass(frozen=True, slots=True)
class HostCall:
    """One call to one host: `secret` arguments are sealed in the journal and wiped at the end."""

    host_id: str
    verb: str
    args: Mapping[str, Any]
    secret: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What a step sees of its operation: the stored arguments and the earlier steps' results.

    `results` maps each finished step's key to its result; `args` are this step's own.
    """

    operation_id: str
    project_id: str
    server_id: str | None
    intent: Mapping[str, Any]
    key: str
    args: Mapping[str, Any]
    results: Mapping[str, Any]
    secrets: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Work(View):
    """A view with the transaction in which a control step writes; `now` is its moment.

    `seen` is what the step's `read` returned; `sealer` keeps secrets that a row must hold.
    """

    tx: Transaction
    now: int
    sealer: Sealer
    seen: Any = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an operation did not finish: which step, what the tenant and the operator read."""

    step: str
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation ended: `done`; `undone` (cleanly unwound); `stuck` (an undo failed)."""

    state: str
    failure: Failure | None = None
    cancelled: bool = False


class Wait(Exception):
    """Raised by a control step: nothing to do yet, come back in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class ControlStep:
    """Writes rows. `do` returns its JSON result, None, or raises; it may be called again.

    `read`, where there is one, runs before, outside the transaction: for what takes long to read
    or to reckon and may be stale (a snapshot of hosts).
    """

    name: str
    do: Callable[[Work], Any]
    undo: Callable[[Work], None] | None = None
    read: Callable[[View, Reader], Any] | None = None
    retry: Retry = Retry()
    undo_retry: Retry = Retry(times=5)


@dataclass(frozen=True, slots=True)
class Poll:
    """Makes a host step ask again: every `every` seconds until `enough(result)`.

    After `patience` seconds the last result is taken as it is; the next steps decide. Between two
    questions the operation is a row, and can be overtaken.
    """

    enough: Callable[[Any], bool]
    every: float
    patience: float


@dataclass(frozen=True, slots=True)
class HostStep:
    """Calls a driver. `call` and `undo` are pure: they read the view and name the call, or None.

    `timeout` is in seconds; a call that overruns it counts as failed and may be repeated.
    """

    name: str
    call: Callable[[View], HostCall | None]
    undo: Callable[[View], HostCall | None] | None = None
    timeout: float = 30.0
    retry: Retry = Retry()
    undo_retry: Retry = Retry(times=5)
    poll: Poll | None = None


Step = ControlStep | HostStep


@dataclass(frozen=True, slots=True)
class Planned:
    """One step of a stored list: the step's name, a key that is unique in the list, arguments."""

    name: str
    key: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extended:
    """A control step's result together with further steps, stored behind the list's last one.

    For what can be known only when the operation starts (what there is to delete, when whoever
    was before it has ended). It is journaled in the step's own commit, so it too happens once.
    `secrets` (what a row keeps sealed, say) join the operation's own and are wiped with them.
    """

    result: Any
    plan: tuple[Planned, ...]
    secrets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """A kind of durable operation. Change its steps and you change its `version`.

    `settle` writes the end into the rows, in the transaction that ends the operation.
    `deadline` is in seconds from submit; after it the operation unwinds.
    """

    name: str
    version: int
    steps: tuple[Step, ...]
    settle: Callable[[Work, Outcome], None]
    deadline: float

    @property
    def kind(self) -> str:
        """The name under which the journal knows it."""
        return f"{self.name}@{self.version}"

    def step(self, name: str) -> Step:
        """Return the step of that name; KeyError when there is none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Submission:
    """A request for an operation, as the API hands it to the engine.

    `subjects` are what it must be alone on ("server:<id>"); later ones queue behind it in order.
    `overtake` asks whatever holds or awaits the first subject to stop at its next boundary.
    """

    kind: str
    project_id: str
    server_id: str | None
    intent: Mapping[str, Any]
    plan: tuple[Planned, ...]
    subjects: tuple[str, ...]
    secrets: Mapping[str, Any] = field(default_factory=dict)
    overtake: bool = False
