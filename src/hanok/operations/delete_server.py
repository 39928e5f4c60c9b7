"""Delete a server: make absent whatever its rows say is there.

It waits behind whatever it overtook, then gathers what is left, and takes each thing away. Nothing
is undone: every step makes something absent, and a step that fails is tried until it works.

The same steps take away what comes to be on a host after the delete: a call that hung beyond its
deadline may still take effect (`reconcile.leftovers`).
"""

from __future__ import annotations

from dataclasses import dataclass

from hanok.engine.steps import (
    ControlStep,
    Extended,
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
from hanok.model.server import Server, VmState
from hanok.operations.fault import fault_of
from hanok.operations.submitter import Submitter
from hanok.store import hosts, images, ports, servers, volumes
from hanok.store.database import Transaction

PATIENCE = Retry(times=1000, first=0.5, factor=2.0, longest=30.0)


def submit(tx: Transaction, engine: Submitter, server: Server) -> None:
    """Submit the operation in the request's transaction; it overtakes all others on the server."""
    _submit(tx, engine, server, (Planned("gather", "gather"),), overtake=True)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What a host holds of a deleted server: its domain, ports and disks that have no row."""

    host_id: str
    domain: bool
    port_ids: tuple[str, ...]
    disk_ids: tuple[str, ...]


def submit_leftovers(tx: Transaction, engine: Submitter, server: Server, left: Leftovers) -> None:
    """Submit the removal of what is left of a server that is deleted; its row stays as it is."""
    plan = (
        *([_domain(left.host_id)] if left.domain else []),
        *(_port(left.host_id, port_id) for port_id in left.port_ids),
        *(_disk(left.host_id, disk_id) for disk_id in left.disk_ids),
    )
    _submit(tx, engine, server, plan, overtake=False)


def _submit(
    tx: Transaction,
    engine: Submitter,
    server: Server,
    plan: tuple[Planned, ...],
    *,
    overtake: bool,
) -> None:
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={},
            plan=plan,
            subjects=(f"server:{server.id}",),
            overtake=overtake,
        ),
    )


def _domain(host_id: str) -> Planned:
    return Planned("delete_domain", "domain", {"host_id": host_id})


def _port(host_id: str, port_id: str) -> Planned:
    return Planned("unplug_port", f"unplug:{port_id}", {"host_id": host_id, "port_id": port_id})


def _disk(host_id: str, disk_id: str) -> Planned:
    return Planned("delete_disk", f"delete:{disk_id}", {"host_id": host_id, "disk_id": disk_id})


def _gather(work: Work) -> Extended:
    """List what there is to remove, as the rows say now that we are alone."""
    server_id = work.server_id or ""
    server = servers.find(work.tx, server_id)
    if server is None:
        return Extended(None, ())
    plan = []
    if server.host_id is not None:
        plan.append(_domain(server.host_id))
    plan += [
        _port(port.host_id, port.id)
        for port in ports.of_server(work.tx, server_id)
        if port.host_id is not None
    ]
    disks = [(disk.id, disk.host_id) for disk in servers.local_disks_of(work.tx, server_id)]
    for attachment, volume in volumes.of_server(work.tx, server_id):
        if attachment.delete_on_termination and volume.host_id is not None:
            disks.append((volume.id, volume.host_id))
    plan += [_disk(host_id, disk_id) for disk_id, host_id in disks]
    return Extended(None, (*plan, Planned("forget", "forget")))


def _delete_domain(view: View) -> HostCall:
    return HostCall(view.args["host_id"], "compute.delete", {"server_id": view.server_id})


def _unplug_port(view: View) -> HostCall:
    return HostCall(view.args["host_id"], "network.unplug", {"port_id": view.args["port_id"]})


def _delete_disk(view: View) -> HostCall:
    return HostCall(view.args["host_id"], "storage.delete_disk", {"disk_id": view.args["disk_id"]})


def _forget(work: Work) -> None:
    """Remove the rows of what is gone, give back the claim, and mark the server deleted."""
    server_id = work.server_id or ""
    for port in ports.of_server(work.tx, server_id):
        ports.let_go(work.tx, port.id, server_id, work.now)
    for attachment, volume in volumes.of_server(work.tx, server_id):
        volumes.detach(work.tx, volume.id)
        if attachment.delete_on_termination:
            volumes.remove(work.tx, volume.id)
        else:
            volumes.set_status(work.tx, volume.id, "available", work.now)
    for disk in servers.local_disks_of(work.tx, server_id):
        servers.remove_local_disk(work.tx, disk.id)
    hosts.release(work.tx, server_id)
    server = servers.find(work.tx, server_id)
    kept = (server.shelved if server is not None else None) or {}
    if "image_id" in kept:
        images.doom(work.tx, kept["image_id"], work.now)
    values = {
        "vm_state": VmState.DELETED,
        "task_state": None,
        "power_state": 0,
        "host_id": None,
        "intent": None,
        "sealed_guest": None,
        "rescued": None,
        "shelved": None,
        "terminated_at": work.now,
    }
    servers.change(work.tx, server_id, work.now, values)
    servers.record(work.tx, server_id, work.now, "deleted")


def _settle(work: Work, outcome: Outcome) -> None:
    """Show a delete that ran out of time as ERROR; the next delete starts afresh.

    A server that is deleted stays so, whatever becomes of its leftovers.
    """
    if outcome.state == "done" or outcome.cancelled:
        return
    server = servers.find(work.tx, work.server_id or "")
    if server is not None and server.terminated_at is not None:
        return
    said = fault_of(outcome, work.now)
    values = {"vm_state": VmState.ERROR, "task_state": None, "fault": said}
    servers.change(work.tx, work.server_id or "", work.now, values)


KIND = Operation(
    name="delete_server",
    version=1,
    deadline=3600,
    settle=_settle,
    steps=(
        ControlStep("gather", _gather, retry=PATIENCE),
        HostStep("delete_domain", _delete_domain, timeout=60, retry=PATIENCE),
        HostStep("unplug_port", _unplug_port, timeout=30, retry=PATIENCE),
        HostStep("delete_disk", _delete_disk, timeout=60, retry=PATIENCE),
        ControlStep("forget", _forget, retry=PATIENCE),
    ),
)
