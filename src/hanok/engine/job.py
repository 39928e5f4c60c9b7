"""An owned operation in memory, and what the engine's parts share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import structlog

from hanok.engine.clock import EngineClock
from hanok.engine.failpoints import Failpoints
from hanok.engine.sealing import Sealer
from hanok.engine.steps import CONTROL, Failure, Operation, Outcome, Planned
from hanok.model.errors import HanokError, HostError, Unavailable
from hanok.model.moments import SECOND
from hanok.store.database import Database
from hanok.store.journal import OperationRow, StepRow

log = structlog.get_logger("hanok.engine")
Perform = Callable[[str, str, Mapping[str, Any], float], Any]
"""Carries out a host step: (host id, verb, arguments, timeout in seconds) -> JSON-able result."""

AWAY_SECONDS = 10.0
"""How long a step that does not reach its host is tried at least: most are away for a moment."""
INTERNAL = "An internal error stopped the operation; the operator can see the cause."


class Move(Enum):
    """What became of an operation after one move."""

    ON = "on"  # the next move belongs here, too
    AWAY = "away"  # it belongs to another place of this process
    LET_GO = "let go"  # it waits, or belongs to another process: the row tells
    ENDED = "ended"


class Fenced(Exception):
    """The operation is no longer this owner's; the transaction is rolled back."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the engine works with: store, time, key, hosts, and the tests' failpoints."""

    database: Database
    clock: EngineClock
    sealer: Sealer
    perform: Perform
    failpoints: Failpoints = field(default_factory=Failpoints)


@dataclass(slots=True)
class Job:
    """An owned operation in memory, equal to its rows."""

    kind: Operation
    operation: OperationRow
    steps: list[StepRow]
    secrets: Mapping[str, Any] = field(default_factory=dict)

    @property
    def step(self) -> StepRow:
        """The step at the operation's position."""
        return self.steps[self.operation.position]


def planned_steps(operation_id: str, plan: Sequence[Planned], start: int) -> list[StepRow]:
    """Turn planned steps into rows, the first at position `start`."""
    return [
        StepRow(
            operation_id=operation_id,
            position=position,
            name=planned.name,
            key=planned.key,
            args=dict(planned.args),
            state="pending",
            place=CONTROL,
            call=None,
            sealed_call=None,
            result=None,
            error=None,
            started_at=None,
            ended_at=None,
        )
        for position, planned in enumerate(plan, start)
    ]


def with_steps(job: Job, steps: list[StepRow]) -> Job:
    """Return the job with other step rows, for a view of what is about to be committed."""
    return Job(job.kind, job.operation, steps, job.secrets)


def is_permanent(error: Exception) -> bool:
    """Tell whether what failed like this would fail again; a bug may be one of the moment."""
    if isinstance(error, HostError):
        return error.permanent
    return isinstance(error, HanokError) and not isinstance(error, Unavailable)


def failure_of(step: str, error: Exception) -> Failure:
    """Say why a step failed: a failure of ours in its own words, anything else as a bug."""
    if isinstance(error, HanokError):
        return Failure(step, error.message, error.detail)
    return Failure(step, INTERNAL, repr(error))


def report(job: Job, outcome: Outcome) -> None:
    """Log the end of an operation."""
    operation = job.operation
    seconds = ((operation.ended_at or 0) - operation.submitted_at) / SECOND
    log.log(
        40 if outcome.state == "stuck" else 20,
        "operation ended",
        operation=operation.id,
        kind=job.kind.kind,
        state=outcome.state,
        cancelled=outcome.cancelled,
        server=operation.server_id,
        seconds=round(seconds, 3),
        failure=None if outcome.failure is None else outcome.failure.message,
    )


def report_try(
    job: Job, key: str, event: str, attempt: int, error: Exception, **more: bool
) -> None:
    """Log a try of a step or an undo that failed; an undo's final one as an error."""
    log.log(
        40 if more.get("final") else 30,
        event,
        operation=job.operation.id,
        kind=job.kind.kind,
        step=key,
        attempt=attempt,
        server=job.operation.server_id,
        error=str(error),
        exc_info=None if isinstance(error, HanokError) else error,
        **more,
    )
