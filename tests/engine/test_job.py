from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from hanok.engine.job import INTERNAL, Job, failure_of, planned_steps, report, with_steps
from hanok.engine.steps import CONTROL, Failure, Operation, Outcome, Planned
from hanok.model.errors import Conflict, HostError
from hanok.store.journal import OperationRow

KIND = Operation("toy", 3, (), lambda _work, _outcome: None, 60)


def an_operation(**changes: Any) -> OperationRow:
    values: dict[str, Any] = {
        "seq": 1,
        "id": "o",
        "kind": "toy@3",
        "state": "done",
        "project_id": "p",
        "server_id": "s",
        "args": {},
        "subjects": [],
        "secrets": None,
        "position": 0,
        "place": CONTROL,
        "run_at": 0,
        "deadline_at": 0,
        "attempt": 0,
        "cancel": False,
        "owner": None,
        "epoch": 1,
        "error": None,
        "submitted_at": 1_000_000,
        "ended_at": 3_500_000,
    }
    return OperationRow(**{**values, **changes})


def test_a_plan_becomes_rows_that_wait_at_their_positions() -> None:
    plan = (Planned("make", "make:1", {"n": 1}), Planned("note", "note"))
    rows = planned_steps("o", plan, 4)
    assert [(row.position, row.name, row.key, row.args) for row in rows] == [
        (4, "make", "make:1", {"n": 1}),
        (5, "note", "note", {}),
    ]
    for row in rows:
        assert (row.operation_id, row.state, row.place) == ("o", "pending", CONTROL)
        assert row.call is row.result is row.started_at is row.ended_at is None


def test_the_step_of_a_job_is_the_one_at_its_position() -> None:
    rows = planned_steps("o", (Planned("a", "a"), Planned("b", "b")), 0)
    job = Job(KIND, an_operation(position=1), rows, {"word": "xyzzy"})
    assert job.step is rows[1]
    other = with_steps(job, rows[::-1])
    assert other.step is rows[0]
    assert (other.kind, other.operation, other.secrets) == (KIND, job.operation, job.secrets)
    assert job.step is rows[1], "the job itself stays what it was"


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (Conflict("It is in use.", detail="by s"), Failure("a", "It is in use.", "by s")),
        (HostError("No room."), Failure("a", "No room.", "")),
        (KeyError("/etc/secret"), Failure("a", INTERNAL, "KeyError('/etc/secret')")),
    ],
)
def test_fault_56_a_bug_is_told_to_the_operator_and_not_to_the_tenant(
    error: Exception, failure: Failure
) -> None:
    assert failure_of("a", error) == failure


@pytest.mark.parametrize(
    ("outcome", "level", "failure"),
    [
        (Outcome("done"), "info", None),
        (Outcome("undone", Failure("a", "No room.", "x"), cancelled=True), "info", "No room."),
        (Outcome("stuck", Failure("a", "No room.", "x")), "error", "No room."),
    ],
)
def test_the_end_is_one_line_and_only_a_stuck_one_an_alarm(
    outcome: Outcome, level: str, failure: str | None
) -> None:
    with capture_logs() as lines:
        report(Job(KIND, an_operation(), []), outcome)
    assert lines == [
        {
            "event": "operation ended",
            "log_level": level,
            "operation": "o",
            "kind": "toy@3",
            "state": outcome.state,
            "cancelled": outcome.cancelled,
            "server": "s",
            "seconds": 2.5,
            "failure": failure,
        }
    ]
