"""The power of a server: the steps that starting, stopping and rebooting are made of.

The intent holds the server's host, the task that its row shows meanwhile and the state in which it
ends. A step that fails for good leaves the server at rest where it was, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hanok.engine.steps import (
    ControlStep,
    HostCall,
    HostStep,
    Operation,
    Outcome,
    Planned,
    Poll,
    Submission,
    View,
    Work,
)
from hanok.model.lifecycle import Action
from hanok.model.power import PowerState
from hanok.model.server import Server, TaskState, VmState
from hanok.operations.fault import fault_of
from hanok.operations.submitter import Submitter
from hanok.store import servers
from hanok.store.database import Transaction

Kind = Operation
"""What the API needs to name when it submits a power operation."""
PATIENCE = 60.0
"""Seconds that a guest has to shut down by itself before its power is cut (Nova's default)."""
POWER = {
    VmState.ACTIVE: PowerState.RUNNING,
    VmState.STOPPED: PowerState.SHUTDOWN,
    VmState.PAUSED: PowerState.PAUSED,
    VmState.SUSPENDED: PowerState.SUSPENDED,
}
"""The power state in which each resting state leaves a domain."""
_OFF = (PowerState.SHUTDOWN, PowerState.CRASHED, PowerState.NOSTATE)


def submit(
    tx: Transaction, engine: Submitter, kind: Operation, action: Action, server: Server
) -> None:
    """Submit one of the power operations in the request's transaction.

    Its steps are all of the kind's, in order.
    """
    engine.submit(
        tx,
        Submission(
            kind=kind.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={
                "host_id": server.host_id,
                "during": action.during,
                "ends": action.ends or server.vm_state,
            },
            plan=tuple(Planned(step.name, step.name) for step in kind.steps),
            subjects=(f"server:{server.id}",),
            overtake=action.overtakes,
        ),
    )


def _call(view: View, verb: str) -> HostCall:
    return HostCall(view.intent["host_id"], verb, {"server_id": view.server_id})


def _is_off(result: Any) -> bool:
    return PowerState(result) in _OFF


ASK = HostStep("ask", lambda view: _call(view, "compute.shut_down"))
# A guest that has only just booted may not hear the first time.
WAIT_A_WHILE = HostStep(
    "wait_a_while",
    lambda view: _call(view, "compute.power_state"),
    poll=Poll(_is_off, every=0.5, patience=8.0),
)
ASK_AGAIN = HostStep("ask_again", lambda view: _call(view, "compute.shut_down"))
WAIT_UNTIL_OFF = HostStep(
    "wait_until_off",
    lambda view: _call(view, "compute.power_state"),
    poll=Poll(_is_off, every=0.5, patience=PATIENCE),
)
CUT = HostStep("cut", lambda view: _call(view, "compute.power_off"))
SHUT_DOWN = (ASK, WAIT_A_WHILE, ASK_AGAIN, WAIT_UNTIL_OFF, CUT)
"""The way down: ask, give it time, cut the power if it is still on."""
SWITCH_ON = HostStep("switch_on", lambda view: _call(view, "compute.start"), timeout=60.0)


def _finish(work: Work) -> None:
    """Show where the server rests now."""
    ends = VmState(work.intent["ends"])
    values: dict[str, Any] = {
        "vm_state": ends,
        "task_state": None,
        "power_state": int(POWER[ends]),
        "fault": None,
    }
    if SWITCH_ON.name in work.results:
        values["launched_at"] = work.now
    change(work, values)


FINISH = ControlStep("finish", _finish)


def one_call(name: str, verb: str, *, timeout: float = 30.0) -> Operation:
    """Make an operation that is one driver call and the note of what came of it."""
    step = HostStep("call", lambda view: _call(view, verb), timeout=timeout)
    return Operation(name, 1, (step, FINISH), settle, deadline=300)


def change(work: Work, values: Mapping[str, Any]) -> None:
    """Change the server's row; whoever overtakes us keeps the mark that it made."""
    server = servers.find(work.tx, work.server_id or "")
    if server is None or server.terminated_at is not None:
        return
    if server.task_state in (TaskState.DELETING, TaskState.REBOOTING_HARD) and (
        server.task_state != work.intent.get("during")
    ):
        values = {name: value for name, value in values.items() if name != "task_state"}
    servers.change(work.tx, server.id, work.now, values)


def settle(work: Work, outcome: Outcome) -> None:
    """Note the end; a failure leaves the server at rest where it was, with the reason."""
    if outcome.cancelled:
        return
    name = work.intent["ends"]
    if outcome.state == "done":
        servers.record(work.tx, work.server_id or "", work.now, f"now {name}")
        return
    said = fault_of(outcome, work.now)
    change(work, {"task_state": None, "fault": said})
    detail = {"message": said["message"]}
    servers.record(work.tx, work.server_id or "", work.now, f"not {name}", detail)
