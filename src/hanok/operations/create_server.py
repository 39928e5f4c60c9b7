"""Create a server: from a row that says what is wanted to a domain that runs.

Read the steps: place it on a host, give it its ports, note its disks, make them, plug the
ports, define the domain with its config drive, start it, note that it is active.
Whatever fails: everything is taken back and the server shows ERROR with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec

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
from hanok.model.errors import NotFound
from hanok.model.host import Claim
from hanok.model.port import Port
from hanok.model.server import TaskState, VmState
from hanok.operations import place
from hanok.operations.domain import domain_spec, network_spec
from hanok.operations.fault import fault_of
from hanok.operations.intent import DiskIntent, NicIntent, ServerIntent
from hanok.operations.submitter import Submitter
from hanok.placement.filters import Wanted
from hanok.store import hosts, images, ports, security_groups, servers, volumes
from hanok.store.database import Transaction


def plan(intent: ServerIntent) -> tuple[Planned, ...]:
    """Expand the request into its steps; every id is chosen already."""
    disks = [(disk.disk_id, asdict(disk)) for disk in intent.disks]
    nics = [(nic.port_id, asdict(nic)) for nic in intent.nics]
    allocate = [Planned("allocate_port", f"allocate:{port}", nic) for port, nic in nics]
    plug = [Planned("plug_port", f"plug:{port}", nic) for port, nic in nics]
    return (
        Planned("place", "place"),
        *allocate,
        *(Planned("note_disk", f"note:{disk_id}", disk) for disk_id, disk in disks),
        *(Planned("make_disk", f"make:{disk_id}", disk) for disk_id, disk in disks),
        *plug,
        Planned("define", "define"),
        Planned("start", "start"),
        Planned("finish", "finish"),
    )


def submit(
    tx: Transaction, engine: Submitter, intent: ServerIntent, secrets: Mapping[str, Any]
) -> None:
    """Submit the operation in the request's transaction, with the server's row already stored.

    `secrets`: user_data and random_seed (base64), admin_pass; each may be None.
    """
    subjects = [f"server:{intent.server_id}"]
    subjects += [f"volume:{d.disk_id}" for d in intent.disks if d.destination == "volume"]
    subjects += [f"port:{nic.port_id}" for nic in intent.nics]
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=intent.project_id,
            server_id=intent.server_id,
            intent=msgspec.to_builtins(intent),
            plan=plan(intent),
            subjects=tuple(subjects),
            secrets=secrets,
        ),
    )


def _intent(view: View) -> ServerIntent:
    return msgspec.convert(view.intent, ServerIntent)


def _change(work: Work, values: Mapping[str, Any]) -> None:
    """Change the server's row; a delete that waits behind us keeps its mark."""
    server = servers.find(work.tx, work.server_id or "")
    if server is None:
        raise NotFound("The instance's record is gone.")
    if server.task_state == TaskState.DELETING:
        values = {name: value for name, value in values.items() if name != "task_state"}
    servers.change(work.tx, server.id, work.now, values)


# -- place ---------------------------------------------------------------------------------------


def _place(work: Work) -> dict[str, Any]:
    intent = _intent(work)
    space = sum(disk.size_gib for disk in intent.disks)
    claim = Claim(intent.vcpus, intent.ram_mib, space)
    host = place.claim(work, Wanted(claim, intent.zone))
    zone = intent.zone or host.zones[int(intent.server_id[:8], 16) % len(host.zones)]
    _change(
        work,
        {
            "host_id": host.id,
            "availability_zone": zone,
            "task_state": TaskState.NETWORKING,
            "intent": dict(work.intent),
            "sealed_guest": work.sealer.seal(intent.server_id, dict(work.secrets)),
        },
    )
    return {"host_id": host.id, "zone": zone}


def _displace(work: Work) -> None:
    hosts.release(work.tx, work.server_id or "")
    _change(work, {"host_id": None})


# -- ports ---------------------------------------------------------------------------------------


def _nic(view: View) -> NicIntent:
    return msgspec.convert(view.args, NicIntent)


def _group_ids(work: Work) -> tuple[str, ...]:
    """Return the groups of a port that is made now: as asked for, or as the server's are by now.

    The server's row is held, so that an action on its groups finds the port, or is found here.
    """
    intent = _intent(work)
    servers.hold(work.tx, None, intent.server_id)
    noted = servers.made_from(work.tx, intent.server_id)
    return intent.group_ids if noted is None else tuple(noted[0]["group_ids"])


def _lend_port(work: Work) -> Port:
    """Lend a port of the project's own, which keeps its groups, but for what was changed since."""
    intent, nic, group_ids = _intent(work), _nic(work), _group_ids(work)
    port = ports.attach(
        work.tx,
        nic.port_id,
        server_id=intent.server_id,
        zone=work.results["place"]["zone"],
        position=nic.position,
        now=work.now,
    )
    for group_id in sorted(set(group_ids) - set(intent.group_ids)):
        security_groups.join(work.tx, nic.port_id, group_id)
    for group_id in sorted(set(intent.group_ids) - set(group_ids)):
        security_groups.leave(work.tx, nic.port_id, group_id)
    return port


def _allocate_port(work: Work) -> dict[str, Any]:
    intent, nic = _intent(work), _nic(work)
    host_id = work.results["place"]["host_id"]
    if nic.existing:
        port = _lend_port(work)
    else:
        port = ports.allocate(
            work.tx,
            ports.Allocation(
                port_id=nic.port_id,
                network_id=nic.network_id,
                subnet_id=nic.subnet_id,
                address=nic.address,
                project_id=intent.project_id,
                server_id=intent.server_id,
                position=nic.position,
                group_ids=_group_ids(work),
                zone=work.results["place"]["zone"],
            ),
            work.now,
        )
    ports.bind(work.tx, nic.port_id, host_id=host_id, status="DOWN", now=work.now)
    network = network_spec(work.tx, nic.network_id)
    return {
        "mac": port.mac_address,
        "addresses": [[ip.subnet_id, ip.address] for ip in port.fixed_ips],
        "network": msgspec.to_builtins(network),
    }


def _release_port(work: Work) -> None:
    ports.let_go(work.tx, _nic(work).port_id, work.server_id or "", work.now)


def _plug_port(view: View) -> HostCall:
    intent, nic = _intent(view), _nic(view)
    allocated = view.results[f"allocate:{nic.port_id}"]
    port = {
        "port_id": nic.port_id,
        "network_id": nic.network_id,
        "mac": allocated["mac"],
        "addresses": allocated["addresses"],
        "hostname": intent.hostname,
        "mtu": allocated["network"]["mtu"],
    }
    return _on_host(view, "network.plug", {"port": port, "network": allocated["network"]})


def _unplug_port(view: View) -> HostCall | None:
    if "place" not in view.results:
        return None
    return _on_host(view, "network.unplug", {"port_id": _nic(view).port_id})


# -- disks ---------------------------------------------------------------------------------------


def _disk(view: View) -> DiskIntent:
    return msgspec.convert(view.args, DiskIntent)


def _note_disk(work: Work) -> None:
    intent, disk, placed = _intent(work), _disk(work), work.results["place"]
    images.hold(work.tx, disk.image_id)
    if disk.destination == "local":
        servers.add_local_disk(
            work.tx,
            {
                "id": disk.disk_id,
                "server_id": intent.server_id,
                "host_id": placed["host_id"],
                "device": disk.device,
                "size_gib": disk.size_gib,
                "image_id": disk.image_id,
            },
        )
    else:
        volume = intent.volume(disk, placed["host_id"], placed["zone"], work.now)
        volumes.add_root(work.tx, volume, work.now)
        volumes.attach(
            work.tx,
            volumes.Attachment(
                volume_id=disk.disk_id,
                server_id=intent.server_id,
                device=disk.device,
                boot_index=disk.boot_index,
                delete_on_termination=disk.delete_on_termination,
                attached_at=work.now,
            ),
        )
    _change(work, {"task_state": TaskState.SPAWNING})


def _forget_disk(work: Work) -> None:
    disk = _disk(work)
    if disk.destination == "local":
        servers.remove_local_disk(work.tx, disk.disk_id)
    else:
        volumes.detach(work.tx, disk.disk_id)
        volumes.remove(work.tx, disk.disk_id)


def _make_disk(view: View) -> HostCall:
    return _on_host(view, "storage.create_disk", {"spec": _disk(view).spec})


def _delete_disk(view: View) -> HostCall | None:
    if "place" not in view.results:
        return None
    return _on_host(view, "storage.delete_disk", {"disk_id": _disk(view).disk_id})


# -- the domain ----------------------------------------------------------------------------------


def _define(view: View) -> HostCall:
    spec = domain_spec(_intent(view), view.results, view.secrets)
    return _on_host(view, "compute.define", {"spec": msgspec.to_builtins(spec)}, secret=True)


def _start(view: View) -> HostCall:
    return _on_host(view, "compute.start", {"server_id": view.server_id})


def _delete_domain(view: View) -> HostCall | None:
    if "place" not in view.results:
        return None
    return _on_host(view, "compute.delete", {"server_id": view.server_id})


def _on_host(view: View, verb: str, args: Mapping[str, Any], *, secret: bool = False) -> HostCall:
    return HostCall(view.results["place"]["host_id"], verb, args, secret)


# -- the end -------------------------------------------------------------------------------------


def _finish(work: Work) -> None:
    intent = _intent(work)
    for nic in intent.nics:
        host_id = work.results["place"]["host_id"]
        ports.bind(work.tx, nic.port_id, host_id=host_id, status="ACTIVE", now=work.now)
    for disk in intent.disks:
        if disk.destination == "volume":
            volumes.set_status(work.tx, disk.disk_id, "in-use", work.now)
    _change(
        work,
        {
            "vm_state": VmState.ACTIVE,
            "task_state": None,
            "power_state": 1,
            "launched_at": work.now,
        },
    )
    servers.record(work.tx, intent.server_id, work.now, "created")


def _settle(work: Work, outcome: Outcome) -> None:
    """Show a failed create as ERROR; one that a delete overtook shows nothing of its own."""
    if outcome.state == "done" or outcome.cancelled:
        return
    said = fault_of(outcome, work.now)
    _change(work, {"vm_state": VmState.ERROR, "task_state": None, "fault": said})
    detail = {"message": said["message"]}
    servers.record(work.tx, work.server_id or "", work.now, "create failed", detail)


KIND = Operation(
    name="create_server",
    version=1,
    deadline=600,
    settle=_settle,
    steps=(
        ControlStep("place", _place, _displace, read=place.snapshot),
        ControlStep("allocate_port", _allocate_port, _release_port),
        ControlStep("note_disk", _note_disk, _forget_disk),
        HostStep("make_disk", _make_disk, _delete_disk, timeout=60),
        HostStep("plug_port", _plug_port, _unplug_port, timeout=30),
        HostStep("define", _define, _delete_domain, timeout=30),
        HostStep("start", _start, timeout=60, retry=Retry(times=2)),
        ControlStep("finish", _finish),
    ),
)
