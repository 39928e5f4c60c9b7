"""Rebuild a server: its root disk gets an image's bytes; addresses, volumes and ids stay.

The new disk is made beside the old one, whose place it takes in one stroke while the server is off.
Until then nothing is lost, and a rebuild that fails starts the server as it was. After it there is
no way back, and one that fails leaves the server in ERROR, off, to be rebuilt again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec

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
from hanok.model import devices
from hanok.model.power import PowerState
from hanok.model.server import Server, TaskState, VmState
from hanok.operations import power, standing
from hanok.operations.intent import DiskIntent
from hanok.operations.rescue_server import runs
from hanok.operations.submitter import Submitter
from hanok.store import servers, volumes
from hanok.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What is asked for.

    `by` is the disk to be made, `root` the one whose place it takes. `intent` holds the fields of
    the server's intent that change, `shown` what its view shows of the image.
    """

    root: DiskIntent
    by: DiskIntent
    intent: dict[str, Any]
    shown: dict[str, str]


def submit(
    tx: Transaction,
    engine: Submitter,
    server: Server,
    wanted: Rebuild,
    secrets: Mapping[str, Any],
) -> None:
    """Submit the operation; `server` is as it was before, `secrets` what its guest is told anew."""
    subjects = [f"server:{server.id}"]
    if wanted.root.destination == "volume":
        subjects.append(f"volume:{wanted.root.disk_id}")
    off = server.vm_state == VmState.STOPPED
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={
                "host_id": server.host_id,
                "runs": runs(server),
                "during": TaskState.REBUILDING,
                "ends": VmState.STOPPED if off else VmState.ACTIVE,
                **asdict(wanted),
            },
            plan=(Planned("gather", "gather"),),
            subjects=tuple(subjects),
            secrets=secrets,
        ),
    )


def _gather(work: Work) -> Extended:
    by = work.intent["by"]["disk_id"]
    starts = work.intent["ends"] == VmState.ACTIVE
    return standing.gather(
        work,
        lambda found: (
            Planned("note_disk", f"note:{by}"),
            Planned("make_disk", f"made:{by}"),
            *standing.looks(found),
            *(Planned(step.name, step.name) for step in _SHUT_DOWN),
            Planned("replace", "replace"),
            Planned("note_image", "note_image"),
            Planned("define", "define"),
            *([Planned("switch_on", "switch_on")] if starts else []),
            *standing.drops(found),
            Planned("finish", "finish"),
        ),
        **work.intent["intent"],
    )


# -- the disk ------------------------------------------------------------------------------------


def _root(view: View) -> DiskIntent:
    return msgspec.convert(view.intent["root"], DiskIntent)


def _by(view: View) -> DiskIntent:
    return msgspec.convert(view.intent["by"], DiskIntent)


def _replace(view: View) -> HostCall:
    arguments = {"disk_id": _root(view).disk_id, "by_id": _by(view).disk_id}
    return HostCall(view.intent["host_id"], "storage.replace_disk", arguments)


def _note_image(work: Work) -> None:
    """Note whose bytes the root disk has now, and what the server's domain is made from."""
    root, by, now = _root(work), _by(work), work.now
    found = standing.of(work).intent
    own = tuple(
        replace(disk, image_id=by.image_id) if disk.disk_id == root.disk_id else disk
        for disk in found.disks
    )
    intent = replace(found, disks=own)
    if root.destination == "volume":
        values = {"image_id": by.image_id, "image_metadata": intent.image_metadata}
        volumes.change(work.tx, root.disk_id, {**values, "bootable": True}, now)
    else:
        servers.change_local_disk(work.tx, root.disk_id, intent.image_id)
    servers.remove_local_disk(work.tx, by.disk_id)
    power.change(
        work,
        {
            "image_id": intent.image_id,
            "image_metadata": work.intent["shown"],
            "key_name": intent.key_name,
            "intent": msgspec.to_builtins(intent),
            "sealed_guest": work.sealer.seal(intent.server_id, dict(work.secrets)),
        },
    )


# -- the domain ----------------------------------------------------------------------------------


def _past_the_turn(view: View) -> bool:
    """Tell whether the old disk may be gone: the power was cut, and the stroke came next."""
    return power.CUT.name in view.results


def _start_again(view: View) -> HostCall | None:
    if not view.intent["runs"] or _past_the_turn(view):
        return None
    return standing.call(view, "compute.start")


def _define(view: View) -> HostCall:
    """Define the domain over the root disk as it is; a host reads from there what lies below it."""
    return standing.define(view, standing.spec(view))


# -- the end -------------------------------------------------------------------------------------


def _finish(work: Work) -> None:
    standing.forget_stand_ins(work)
    ends = VmState(work.intent["ends"])
    values: dict[str, Any] = {
        "vm_state": ends,
        "task_state": None,
        "power_state": int(power.POWER[ends]),
        "launched_at": work.now,
        "rescued": None,
        "fault": None,
    }
    power.change(work, values)


def _settle(work: Work, outcome: Outcome) -> None:
    power.settle(work, outcome)
    if outcome.state != "done" and not outcome.cancelled and _past_the_turn(work):
        off = int(PowerState.SHUTDOWN)
        power.change(work, {"vm_state": VmState.ERROR, "power_state": off})


_SHUT_DOWN = (replace(power.ASK, undo=_start_again), *power.SHUT_DOWN[1:])
KIND = Operation(
    name="rebuild_server",
    version=1,
    deadline=600,
    settle=_settle,
    steps=(
        ControlStep("gather", _gather),
        *standing.stand_in(_by, devices.REBUILD),
        standing.LOOK,
        standing.PLUG,
        *_SHUT_DOWN,
        # Undone by a definition of what is there: a HARD reboot of the server in ERROR must not
        # read the new disk over the old one's image.
        HostStep("replace", _replace, _define),
        ControlStep("note_image", _note_image),
        HostStep("define", _define),
        replace(power.SWITCH_ON, undo=lambda view: standing.call(view, "compute.power_off")),
        standing.DROP,
        ControlStep("finish", _finish),
    ),
)
