"""Detach a volume from a server; a running guest is asked to let go of it first."""

from __future__ import annotations

from hanok.engine.steps import (
    ControlStep,
    HostCall,
    HostStep,
    Operation,
    Outcome,
    Planned,
    Retry,
    Submission,
    View,
    Work,
)
from hanok.model.server import Server
from hanok.model.volume import Volume
from hanok.operations.submitter import Submitter
from hanok.store import servers, volumes
from hanok.store.database import Transaction


def submit(tx: Transaction, engine: Submitter, server: Server, volume: Volume) -> None:
    """Submit the operation, with the volume already `detaching`."""
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={"host_id": server.host_id, "volume_id": volume.id},
            plan=tuple(Planned(step.name, step.name) for step in KIND.steps),
            subjects=(f"server:{server.id}", f"volume:{volume.id}"),
        ),
    )


def _detach(view: View) -> HostCall | None:
    if view.intent["host_id"] is None:
        return None
    arguments = {"server_id": view.server_id, "disk_id": view.intent["volume_id"]}
    return HostCall(view.intent["host_id"], "compute.detach_disk", arguments)


def _finish(work: Work) -> None:
    volume_id = work.intent["volume_id"]
    volumes.detach_from(work.tx, volume_id, work.server_id or "")
    volumes.set_status(work.tx, volume_id, "available", work.now)
    servers.record(work.tx, work.server_id or "", work.now, "detached", {"volume": volume_id})


def _settle(work: Work, outcome: Outcome) -> None:
    """Show a volume that the guest did not let go of as in use again.

    Also when a HARD reboot overtook us, which leaves it where it was; a delete takes it away next.
    """
    if outcome.state == "done":
        return
    volume_id = work.intent["volume_id"]
    volumes.set_status(work.tx, volume_id, "in-use", work.now)
    message = outcome.failure.message if outcome.failure else ""
    detail = {"volume": volume_id, "message": message}
    servers.record(work.tx, work.server_id or "", work.now, "not detached", detail)


KIND = Operation(
    name="detach_volume",
    version=1,
    deadline=300,
    settle=_settle,
    steps=(
        HostStep("detach", _detach, retry=Retry(times=6, first=1.0, factor=2.0)),
        ControlStep("finish", _finish),
    ),
)
