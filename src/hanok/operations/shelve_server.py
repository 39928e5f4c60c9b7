"""Shelve a server: shut it down, keep what is its own, and give its host back all the rest.

Its volumes and ports stay its own, unplugged. A local disk becomes an image of the project's,
`<name>-shelved`, from which unshelving makes it again. Until the very end the host holds the
server's room, so that a shelving that fails puts everything back and starts the guest again. No
copy of a disk goes before there is another one: the image's end is promised only once the server
is back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
from hanok.operations.standing import Standing
from hanok.operations.submitter import Submitter
from hanok.store import hosts, images, ports, servers, volumes
from hanok.store.database import Transaction

FORMAT = "qcow2"
COPY_SECONDS = 900.0
"""How long a copy of a whole disk may take."""


def submit(
    tx: Transaction, engine: Submitter, server: Server, disk: dict[str, Any] | None, now: int
) -> None:
    """Submit the operation in the request's transaction.

    `disk` is the local disk that is kept as an image: disk_id, device, size_gib, and image_id, an
    image whose row is stored as `queued`; None for a server without one. From now on the server's
    row names it, so that whatever happens the image is not lost sight of.
    """
    servers.change(tx, server.id, now, {"shelved": disk})
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={
                "host_id": server.host_id,
                "disk": disk,
                "before": server.vm_state,
                "during": TaskState.SHELVING,
                "ends": VmState.SHELVED_OFFLOADED,
            },
            plan=(Planned("gather", "gather"),),
            subjects=(
                f"server:{server.id}",
                *([f"image:{disk['image_id']}"] if disk is not None else []),
            ),
        ),
    )


def _gather(work: Work) -> Extended:
    return standing.gather(work, lambda found: _plan(found, keeps=work.intent["disk"] is not None))


def _plan(found: Standing, *, keeps: bool) -> tuple[Planned, ...]:
    return (
        *standing.looks(found),
        *(Planned(step.name, step.name) for step in _SHUT_DOWN),
        *([Planned("export", "export")] if keeps else []),
        Planned("delete_domain", "delete_domain"),
        *(Planned("unplug", f"unplug:{nic.port_id}") for nic in found.intent.nics),
        *([Planned("delete_disk", "delete_disk")] if keeps else []),
        *standing.drops(found),
        Planned("finish", "finish"),
    )


# -- the way down, and back ----------------------------------------------------------------------


def _start(view: View) -> HostCall:
    return standing.call(view, "compute.start")


def _export(view: View) -> HostCall:
    disk = view.intent["disk"]
    return standing.on_host(
        view,
        "storage.export_disk",
        {"disk_id": disk["disk_id"], "image_id": disk["image_id"], "disk_format": FORMAT},
    )


def _delete_domain(view: View) -> HostCall:
    return standing.call(view, "compute.delete")


def _define(view: View) -> HostCall:
    return standing.define(view, standing.spec(view))


def _delete_disk(view: View) -> HostCall:
    arguments = {"disk_id": view.intent["disk"]["disk_id"]}
    return standing.on_host(view, "storage.delete_disk", arguments)


def _restore_disk(view: View) -> HostCall:
    return standing.on_host(view, "storage.create_disk", {"spec": kept_disk(view.intent["disk"])})


def kept_disk(disk: dict[str, Any]) -> dict[str, Any]:
    """Describe the disk that comes back from the image that keeps it, and outlives that image."""
    return {
        "disk_id": disk["disk_id"],
        "size_gib": disk["size_gib"],
        "image_id": disk["image_id"],
        "image_format": FORMAT,
        "independent": True,
    }


# -- the ends ------------------------------------------------------------------------------------


def _finish(work: Work) -> None:
    """Give back the host's room and note where the server's parts are."""
    server_id, disk = work.server_id or "", work.intent["disk"]
    hosts.release(work.tx, server_id)
    for port in ports.of_server(work.tx, server_id):
        ports.bind(work.tx, port.id, host_id=None, status="DOWN", now=work.now)
    for _, volume in volumes.of_server(work.tx, server_id):
        volumes.set_status(work.tx, volume.id, "reserved", work.now)
    standing.forget_stand_ins(work)
    if disk is not None:
        servers.remove_local_disk(work.tx, disk["disk_id"])
        facts = work.results["export"]
        images.set_active(work.tx, disk["image_id"], now=work.now, **facts)
    power.change(
        work,
        {
            "vm_state": VmState.SHELVED_OFFLOADED,
            "task_state": None,
            "power_state": int(PowerState.SHUTDOWN),
            "host_id": None,
            "shelved": {**(disk or {}), "at": work.now},
            "fault": None,
        },
    )


def _settle(work: Work, outcome: Outcome) -> None:
    """Note the end: a server that is back where it was needs no image, one that hangs may."""
    if outcome.state == "undone":
        power.change(work, {"vm_state": work.intent["before"], "shelved": None})
        if work.intent["disk"] is not None:
            images.doom(work.tx, work.intent["disk"]["image_id"], work.now)
    if outcome.state == "stuck":
        power.change(work, {"vm_state": VmState.ERROR})
    power.settle(work, outcome)


_SHUT_DOWN = (replace(power.ASK, undo=_start), *power.SHUT_DOWN[1:])
KIND = Operation(
    name="shelve_server",
    version=1,
    deadline=1800,
    settle=_settle,
    steps=(
        ControlStep("gather", _gather),
        standing.LOOK,
        standing.PLUG,
        *_SHUT_DOWN,
        HostStep("export", _export, timeout=COPY_SECONDS),
        HostStep("delete_domain", _delete_domain, _define, timeout=60),
        HostStep("unplug", standing.unplug, standing.plug),
        HostStep("delete_disk", _delete_disk, _restore_disk, timeout=COPY_SECONDS),
        standing.DROP,
        ControlStep("finish", _finish),
    ),
)
