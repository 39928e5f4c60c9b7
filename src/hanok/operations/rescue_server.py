"""Rescue a server: boot it from a fresh disk of an image, with its own disks behind that one.

The domain stays the server's: only its disks and its guest's administrator password are others.
Nothing is lost on the way: a rescue that fails puts the domain back and starts it again.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from hanok.engine.steps import (
    ControlStep,
    Extended,
    HostCall,
    HostStep,
    Operation,
    Planned,
    Submission,
    View,
    Work,
)
from hanok.model import devices
from hanok.model.power import PowerState
from hanok.model.server import Server, TaskState, VmState
from hanok.operations import power, standing
from hanok.operations.intent import DiskIntent
from hanok.operations.submitter import Submitter
from hanok.store.database import Transaction


def submit(
    tx: Transaction, engine: Submitter, server: Server, disk: DiskIntent, password: str
) -> None:
    """Submit the operation; `server` is as it was before, `disk` the one to boot from."""
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={
                "host_id": server.host_id,
                "disk": asdict(disk),
                "before": server.vm_state,
                "runs": runs(server),
                "during": TaskState.RESCUING,
                "ends": VmState.RESCUED,
            },
            plan=(Planned("gather", "gather"),),
            subjects=(f"server:{server.id}",),
            secrets={"rescue_pass": password},
        ),
    )


def runs(server: Server) -> bool:
    """Tell whether a server's guest runs before the operation, and would have to run again."""
    return server.vm_state == VmState.ACTIVE or server.power_state == PowerState.RUNNING


def _gather(work: Work) -> Extended:
    disk_id = work.intent["disk"]["disk_id"]
    return standing.gather(
        work,
        lambda found: (
            Planned("note_disk", f"note:{disk_id}"),
            Planned("make_disk", f"make:{disk_id}"),
            *standing.looks(found),
            *(Planned(step.name, step.name) for step in _SHUT_DOWN),
            Planned("define", "define"),
            Planned("switch_on", "switch_on"),
            *standing.drops(found),
            Planned("finish", "finish"),
        ),
    )


# -- the disk ------------------------------------------------------------------------------------


def _disk(view: View) -> DiskIntent:
    return DiskIntent(**view.intent["disk"])


# -- the domain ----------------------------------------------------------------------------------


def _start_again(view: View) -> HostCall | None:
    return standing.call(view, "compute.start") if view.intent["runs"] else None


def _define(view: View) -> HostCall:
    """Put the rescue disk first and every other disk one place further (Nova's legacy rescue)."""
    own = standing.of(view).intent.disks
    behind = (
        replace(disk, device=devices.name(n), boot_index=None) for n, disk in enumerate(own, 1)
    )
    disks = (_disk(view), *behind)
    password = view.secrets["rescue_pass"]
    return standing.define(view, standing.spec(view, disks, admin_pass=password))


def _put_back(view: View) -> HostCall:
    return standing.define(view, standing.spec(view))


def _finish(work: Work) -> None:
    disk = _disk(work)
    standing.forget_stand_ins(work)
    rescued: dict[str, Any] = {
        "disk_id": disk.disk_id,
        "image_id": disk.image_id,
        "before": work.intent["before"],
        "at": work.now,
    }
    values = {
        "vm_state": VmState.RESCUED,
        "task_state": None,
        "power_state": int(PowerState.RUNNING),
        "launched_at": work.now,
        "rescued": rescued,
        "fault": None,
    }
    power.change(work, values)


_SHUT_DOWN = (replace(power.ASK, undo=_start_again), *power.SHUT_DOWN[1:])
KIND = Operation(
    name="rescue_server",
    version=1,
    deadline=600,
    settle=power.settle,
    steps=(
        ControlStep("gather", _gather),
        *standing.stand_in(_disk, devices.RESCUE),
        standing.LOOK,
        standing.PLUG,
        *_SHUT_DOWN,
        HostStep("define", _define, _put_back),
        replace(power.SWITCH_ON, undo=lambda view: standing.call(view, "compute.power_off")),
        standing.DROP,
        ControlStep("finish", _finish),
    ),
)
