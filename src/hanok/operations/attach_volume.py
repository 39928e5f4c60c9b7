"""Attach a volume to a server, running or not."""

from __future__ import annotations

from typing import Any

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
from hanok.model.server import Server
from hanok.model.volume import Volume
from hanok.operations.domain import serial
from hanok.operations.submitter import Submitter
from hanok.store import servers, volumes
from hanok.store.database import Transaction


def submit(tx: Transaction, engine: Submitter, server: Server, volume: Volume, device: str) -> None:
    """Submit the operation, with the attachment's row stored and the volume `attaching`."""
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={
                "host_id": volume.host_id,
                "on_host": server.host_id is not None,
                "volume_id": volume.id,
                "device": device,
            },
            plan=tuple(Planned(step.name, step.name) for step in KIND.steps),
            subjects=(f"server:{server.id}", f"volume:{volume.id}"),
        ),
    )


def _describe(view: View) -> HostCall:
    disk = {"disk_id": view.intent["volume_id"]}
    return HostCall(view.intent["host_id"], "storage.describe_disk", disk)


def _attach(view: View) -> HostCall | None:
    if not view.intent["on_host"]:
        return None
    disk: dict[str, Any] = {
        "disk": view.results["describe"],
        "device": view.intent["device"],
        "serial": serial(view.intent["volume_id"]),
    }
    arguments = {"server_id": view.server_id, "disk": disk}
    return HostCall(view.intent["host_id"], "compute.attach_disk", arguments)


def _detach(view: View) -> HostCall | None:
    if not view.intent["on_host"]:
        return None
    arguments = {"server_id": view.server_id, "disk_id": view.intent["volume_id"]}
    return HostCall(view.intent["host_id"], "compute.detach_disk", arguments)


def _finish(work: Work) -> None:
    volume_id = work.intent["volume_id"]
    volumes.set_status(work.tx, volume_id, "in-use", work.now)
    servers.record(work.tx, work.server_id or "", work.now, "attached", {"volume": volume_id})


def _settle(work: Work, outcome: Outcome) -> None:
    """Make a volume that could not be attached available again, with the reason on record.

    One that the domain may still have is nobody else's to open: it shows as in use, and detaching
    it takes it away.
    """
    if outcome.state == "done":
        return
    volume_id = work.intent["volume_id"]
    if outcome.state == "stuck":
        volumes.set_status(work.tx, volume_id, "in-use", work.now)
    elif volumes.detach_from(work.tx, volume_id, work.server_id or ""):
        volumes.set_status(work.tx, volume_id, "available", work.now)
    message = outcome.failure.message if outcome.failure else ""
    detail = {"volume": volume_id, "message": message}
    servers.record(work.tx, work.server_id or "", work.now, "not attached", detail)


KIND = Operation(
    name="attach_volume",
    version=1,
    deadline=300,
    settle=_settle,
    steps=(
        HostStep("describe", _describe),
        HostStep("attach", _attach, _detach),
        ControlStep("finish", _finish),
    ),
)
