"""Unrescue a server: put its own domain back, start it, and let the rescue disk go.

Nothing is undone: each step brings the server nearer to what its rows say, from wherever it is. One
that fails leaves the server rescued, with the reason, and asking again goes on from there.
"""

from __future__ import annotations

from hanok.engine.steps import (
    ControlStep,
    Extended,
    HostCall,
    HostStep,
    Operation,
    Outcome,
    Planned,
    Submission,
    View,
    Work,
)
from hanok.model.power import PowerState
from hanok.model.server import Server, TaskState, VmState
from hanok.operations import power, standing
from hanok.operations.submitter import Submitter
from hanok.store import servers
from hanok.store.database import Transaction


def submit(tx: Transaction, engine: Submitter, server: Server) -> None:
    """Submit the operation in the request's transaction."""
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={
                "host_id": server.host_id,
                "during": TaskState.UNRESCUING,
                "ends": VmState.ACTIVE,
            },
            plan=(Planned("gather", "gather"),),
            subjects=(f"server:{server.id}",),
        ),
    )


def _gather(work: Work) -> Extended:
    return standing.gather(
        work,
        lambda found: (
            *standing.looks(found),
            *(Planned(step.name, step.name) for step in power.SHUT_DOWN),
            Planned("define", "define"),
            Planned("switch_on", "switch_on"),
            Planned("finish", "finish"),
            # Behind the end: a disk that cannot be removed now goes with the server at the latest.
            *standing.drops(found),
            Planned("forget", "forget"),
        ),
    )


def _define(view: View) -> HostCall:
    return standing.define(view, standing.spec(view))


def _finish(work: Work) -> None:
    values = {
        "vm_state": VmState.ACTIVE,
        "task_state": None,
        "power_state": int(PowerState.RUNNING),
        "launched_at": work.now,
        "rescued": None,
        "fault": None,
    }
    power.change(work, values)


def _settle(work: Work, outcome: Outcome) -> None:
    """Note the end; a server that is back is back, also when its rescue disk is still there."""
    if outcome.state == "done" or "finish" not in work.results:
        power.settle(work, outcome)
        return
    message = outcome.failure.message if outcome.failure else ""
    detail = {"message": message}
    servers.record(work.tx, work.server_id or "", work.now, "rescue disk not removed", detail)


KIND = Operation(
    name="unrescue_server",
    version=1,
    deadline=600,
    settle=_settle,
    steps=(
        ControlStep("gather", _gather),
        standing.LOOK,
        standing.PLUG,
        *power.SHUT_DOWN,
        HostStep("define", _define),
        power.SWITCH_ON,
        ControlStep("finish", _finish),
        standing.DROP,
        ControlStep("forget", standing.forget_stand_ins),
    ),
)
