"""Unshelve a server: find it a host anew, put its parts back there, and start it.

Its volumes lie on a host already, and it goes where they are. A local disk is made again from the
image that kept it, which is not needed any more once the server runs. Whatever fails: the server
rests shelved as before, with the reason, and may be asked again.
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
    Planned,
    Submission,
    View,
    Work,
)
from hanok.model.host import Claim
from hanok.model.power import PowerState
from hanok.model.server import Server, TaskState, VmState
from hanok.operations import place, power, standing
from hanok.operations.shelve_server import COPY_SECONDS, kept_disk
from hanok.operations.standing import Standing
from hanok.operations.submitter import Submitter
from hanok.placement.filters import Wanted
from hanok.store import hosts, images, ports, servers, volumes
from hanok.store.database import Transaction


def submit(tx: Transaction, engine: Submitter, server: Server, zone: str) -> None:
    """Submit the operation in the request's transaction."""
    kept: dict[str, Any] = server.shelved or {}
    disk = kept if "image_id" in kept else None
    own = [volume for _, volume in volumes.of_server(tx, server.id)]
    space = sum(volume.size_gib for volume in own) + (disk["size_gib"] if disk is not None else 0)
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={
                "zone": zone,
                "storage": sorted({v.host_id for v in own if v.host_id is not None}),
                "claim": {
                    "vcpus": server.vcpus,
                    "ram_mib": server.ram_mib,
                    "disk_gib": space,
                },
                "disk": disk,
                "during": TaskState.UNSHELVING,
                "ends": VmState.ACTIVE,
            },
            plan=(Planned("place", "place"), Planned("bind", "bind"), Planned("gather", "gather")),
            subjects=(
                f"server:{server.id}",
                *(f"volume:{volume.id}" for volume in own),
                *([f"image:{disk['image_id']}"] if disk is not None else []),
            ),
        ),
    )


# -- the place -----------------------------------------------------------------------------------


def _place(work: Work) -> dict[str, Any]:
    asked = work.intent
    wanted = Wanted(Claim(**asked["claim"]), asked["zone"], frozenset(asked["storage"]))
    host = place.claim(work, wanted)
    power.change(work, {"host_id": host.id, "availability_zone": asked["zone"]})
    return {"host_id": host.id, "zone": asked["zone"]}


def _displace(work: Work) -> None:
    hosts.release(work.tx, work.server_id or "")
    power.change(work, {"host_id": None})


def _bind(work: Work) -> None:
    """Note what will be on the host, before it is: whatever deletes the server finds it."""
    server_id, disk = work.server_id or "", work.intent["disk"]
    host_id = work.results["place"]["host_id"]
    _bind_ports(work, host_id, "DOWN")
    if disk is not None:
        row = {name: disk[name] for name in ("device", "size_gib")}
        owned = {"id": disk["disk_id"], "server_id": server_id, "host_id": host_id}
        servers.add_local_disk(work.tx, {**owned, **row, "image_id": None})


def _unbind(work: Work) -> None:
    _bind_ports(work, None, "DOWN")
    if work.intent["disk"] is not None:
        servers.remove_local_disk(work.tx, work.intent["disk"]["disk_id"])


def _bind_ports(work: Work, host_id: str | None, status: str) -> None:
    for port in ports.of_server(work.tx, work.server_id or ""):
        ports.bind(work.tx, port.id, host_id=host_id, status=status, now=work.now)


def _gather(work: Work) -> Extended:
    return standing.gather(work, _plan)


def _plan(found: Standing) -> tuple[Planned, ...]:
    return (
        *(
            Planned("make_disk", f"make:{disk.disk_id}")
            for disk in found.intent.disks
            if disk.destination == "local"
        ),
        *(
            Planned("look", f"look:{disk.disk_id}")
            for disk in found.intent.disks
            if disk.destination == "volume"
        ),
        *(Planned("plug", f"plug:{nic.port_id}") for nic in found.intent.nics),
        Planned("define", "define"),
        Planned("switch_on", "switch_on"),
        Planned("finish", "finish"),
    )


# -- the parts -----------------------------------------------------------------------------------


def _make_disk(view: View) -> HostCall:
    return standing.on_host(view, "storage.create_disk", {"spec": kept_disk(view.intent["disk"])})


def _delete_disk(view: View) -> HostCall:
    arguments = {"disk_id": view.intent["disk"]["disk_id"]}
    return standing.on_host(view, "storage.delete_disk", arguments)


def _define(view: View) -> HostCall:
    return standing.define(view, standing.spec(view))


def _delete_domain(view: View) -> HostCall:
    return standing.call(view, "compute.delete")


def _switch_on(view: View) -> HostCall:
    return standing.call(view, "compute.start")


def _finish(work: Work) -> None:
    server_id, disk = work.server_id or "", work.intent["disk"]
    _bind_ports(work, work.results["place"]["host_id"], "ACTIVE")
    for _, volume in volumes.of_server(work.tx, server_id):
        volumes.set_status(work.tx, volume.id, "in-use", work.now)
    if disk is not None:
        images.doom(work.tx, disk["image_id"], work.now)
    power.change(
        work,
        {
            "vm_state": VmState.ACTIVE,
            "task_state": None,
            "power_state": int(PowerState.RUNNING),
            "launched_at": work.now,
            "shelved": None,
            "fault": None,
        },
    )


KIND = Operation(
    name="unshelve_server",
    version=1,
    deadline=1800,
    settle=power.settle,
    steps=(
        ControlStep("place", _place, _displace, read=place.snapshot),
        ControlStep("bind", _bind, _unbind),
        ControlStep("gather", _gather),
        HostStep("make_disk", _make_disk, _delete_disk, timeout=COPY_SECONDS),
        standing.LOOK,
        replace(standing.PLUG, undo=standing.unplug),
        HostStep("define", _define, _delete_domain),
        HostStep("switch_on", _switch_on, timeout=60),
        ControlStep("finish", _finish),
    ),
)
