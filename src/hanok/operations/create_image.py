"""Make an image of a U2 server's disk; a server that runs is held still while it is read."""

from __future__ import annotations

from hanok.engine.steps import (
    ControlStep,
    HostCall,
    HostStep,
    Operation,
    Outcome,
    Planned,
    Submission,
    View,
    Work,
)
from hanok.model.server import Server, VmState
from hanok.operations import power
from hanok.operations.submitter import Submitter
from hanok.store import images, servers
from hanok.store.database import Transaction

FORMAT = "qcow2"


def submit(tx: Transaction, engine: Submitter, server: Server, disk_id: str, image_id: str) -> None:
    """Submit the operation, with the image's row stored as `queued`."""
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={
                "host_id": server.host_id,
                "disk_id": disk_id,
                "image_id": image_id,
                "runs": server.vm_state == VmState.ACTIVE,
                "during": server.task_state,
                "ends": server.vm_state,
            },
            plan=tuple(Planned(step.name, step.name) for step in KIND.steps),
            subjects=(f"server:{server.id}", f"image:{image_id}"),
        ),
    )


def _when_running(view: View, verb: str) -> HostCall | None:
    if not view.intent["runs"]:
        return None
    return HostCall(view.intent["host_id"], verb, {"server_id": view.server_id})


def _hold_still(view: View) -> HostCall | None:
    return _when_running(view, "compute.pause")


def _go_on(view: View) -> HostCall | None:
    return _when_running(view, "compute.unpause")


def _export(view: View) -> HostCall:
    arguments = {
        "disk_id": view.intent["disk_id"],
        "image_id": view.intent["image_id"],
        "disk_format": view.intent.get("disk_format", FORMAT),
    }
    return HostCall(view.intent["host_id"], "storage.export_disk", arguments)


def _discard(view: View) -> HostCall:
    arguments = {"image_id": view.intent["image_id"]}
    return HostCall(view.intent["host_id"], "storage.discard_image", arguments)


HOLD_STILL = HostStep("hold_still", _hold_still, _go_on)
EXPORT = HostStep("export", _export, _discard, timeout=900)
GO_ON = HostStep("go_on", _go_on)


def activate(work: Work) -> None:
    """Show the image whose bytes were exported as active."""
    facts = work.results[EXPORT.name]
    images.set_active(
        work.tx,
        work.intent["image_id"],
        size_bytes=facts["size_bytes"],
        virtual_bytes=facts["virtual_bytes"],
        checksum=facts["checksum"],
        now=work.now,
    )


def _finish(work: Work) -> None:
    activate(work)
    power.change(work, {"task_state": None})
    detail = {"image": work.intent["image_id"]}
    servers.record(work.tx, work.server_id or "", work.now, "image made", detail)


def _settle(work: Work, outcome: Outcome) -> None:
    """Take away the row of an image that could not be made, and say why on the server."""
    if outcome.state == "done":
        return
    images.remove(work.tx, work.intent["image_id"])
    power.settle(work, outcome)


KIND = Operation(
    name="create_image",
    version=1,
    deadline=1800,
    settle=_settle,
    steps=(
        HOLD_STILL,
        EXPORT,
        GO_ON,
        ControlStep("finish", _finish),
    ),
)
