"""A server as its rows say that it stands now, whatever its creation once asked for.

What takes a domain off and puts one back (rescue, rebuild) begins with the step `gather`, which
reads the rows; `LOOK` and `PLUG` learn from the host what no row holds: where a disk lies, and the
name of a port's tap. Then `spec` describes the domain as create_server did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from hanok.drivers.base import DomainSpec
from hanok.engine.steps import (
    ControlStep,
    Extended,
    HostCall,
    HostStep,
    Planned,
    Retry,
    View,
    Work,
)
from hanok.model.devices import ROOT, STAND_INS
from hanok.model.errors import Conflict
from hanok.model.port import Port
from hanok.model.server import Server
from hanok.operations.domain import domain_spec, network_spec
from hanok.operations.intent import DiskIntent, NicIntent, ServerIntent
from hanok.store import images, ports, servers, volumes
from hanok.store.database import Reader


@dataclass(frozen=True, slots=True)
class Standing:
    """The result of `gather`: the intent as it would be now, and what create's steps found.

    `found` has the keys of create_server's results: `place`, `allocate:<port>`. `stand_ins` are
    the ids of disks that an earlier rescue or rebuild has left.
    """

    intent: ServerIntent
    found: dict[str, Any]
    stand_ins: tuple[str, ...] = ()


Plan = Callable[[Standing], Sequence[Planned]]


def gather(work: Work, plan: Plan, **changes: Any) -> Extended:
    """Read the rows and go on with `plan`.

    `changes` are fields of the intent that the operation gives other values. What the guest is
    told in secret joins the operation's secrets; those that the request brought win.
    """
    server = servers.find(work.tx, work.server_id or "")
    made = servers.made_from(work.tx, work.server_id or "")
    if server is None or made is None or server.host_id is None:
        raise Conflict("The instance is on no host.")
    intent, sealed = made
    known: Any = work.sealer.open(server.id, sealed)
    standing = _standing(work.tx, server, msgspec.convert({**intent, **changes}, ServerIntent))
    return Extended(
        msgspec.to_builtins(standing), tuple(plan(standing)), secrets={**known, **work.secrets}
    )


def _standing(reader: Reader, server: Server, made: ServerIntent) -> Standing:
    disks, stand_ins = disks_of(reader, server.id)
    mine = ports.of_server(reader, server.id)
    intent = replace(
        made,
        name=server.name,
        vcpus=server.vcpus,
        ram_mib=server.ram_mib,
        metadata=server.metadata,
        disks=disks,
        nics=tuple(_nic(port) for port in mine),
    )
    found: dict[str, Any] = {
        "place": {"host_id": server.host_id, "zone": server.availability_zone},
        **{f"allocate:{port.id}": _allocated(reader, port) for port in mine},
    }
    return Standing(intent, found, stand_ins)


def disks_of(reader: Reader, server_id: str) -> tuple[tuple[DiskIntent, ...], tuple[str, ...]]:
    """Return a server's disks, the root disk first, and the ids of its stand-ins."""
    local = servers.local_disks_of(reader, server_id)
    disks = [
        DiskIntent(
            disk_id=disk.id,
            destination="local",
            size_gib=disk.size_gib,
            device=disk.device,
            boot_index=0 if disk.device == ROOT else None,
            image_id=disk.image_id,
        )
        for disk in local
        if disk.device not in STAND_INS
    ]
    disks += [
        DiskIntent(
            disk_id=volume.id,
            destination="volume",
            size_gib=volume.size_gib,
            device=attachment.device,
            boot_index=attachment.boot_index,
            image_id=volume.image_id,
        )
        for attachment, volume in volumes.of_server(reader, server_id)
    ]
    disks.sort(key=lambda disk: (disk.boot_index != 0, len(disk.device), disk.device))
    return tuple(disks), tuple(disk.id for disk in local if disk.device in STAND_INS)


def _nic(port: Port) -> NicIntent:
    return NicIntent(port.id, port.network_id, port.position)


def _allocated(reader: Reader, port: Port) -> dict[str, Any]:
    """Say what a port has, as create_server's `allocate_port` does."""
    network = network_spec(reader, port.network_id)
    return {
        "mac": port.mac_address,
        "addresses": [[ip.subnet_id, ip.address] for ip in port.fixed_ips],
        "network": msgspec.to_builtins(network),
    }


# -- what the host knows -------------------------------------------------------------------------


def looks(standing: Standing) -> list[Planned]:
    """Plan what is to be learned of the host: each disk, each port's tap."""
    return [
        *(Planned(LOOK.name, f"look:{disk.disk_id}") for disk in standing.intent.disks),
        *(Planned(PLUG.name, f"plug:{nic.port_id}") for nic in standing.intent.nics),
    ]


def drops(standing: Standing) -> list[Planned]:
    """Plan the end of the disks that an earlier rescue or rebuild has left."""
    return [Planned(DROP.name, f"drop:{disk_id}") for disk_id in standing.stand_ins]


def forget_stand_ins(work: Work) -> None:
    """Remove the rows of disks that `DROP` has taken away."""
    for disk_id in of(work).stand_ins:
        servers.remove_local_disk(work.tx, disk_id)


def stand_in(disk_of: Callable[[View], DiskIntent], device: str) -> tuple[ControlStep, HostStep]:
    """Return the steps `note_disk` and `make_disk` of a disk beside the server's own.

    Its row is stored among the server's own before it is made, so that a delete finds it and its
    image stays.
    """

    def note(work: Work) -> None:
        disk = disk_of(work)
        images.hold(work.tx, disk.image_id)
        servers.add_local_disk(
            work.tx,
            {
                "id": disk.disk_id,
                "server_id": work.server_id,
                "host_id": work.intent["host_id"],
                "device": device,
                "size_gib": disk.size_gib,
                "image_id": disk.image_id,
            },
        )

    def forget(work: Work) -> None:
        servers.remove_local_disk(work.tx, disk_of(work).disk_id)

    def make(view: View) -> HostCall:
        return on_host(view, "storage.create_disk", {"spec": disk_of(view).spec})

    def delete(view: View) -> HostCall:
        return on_host(view, "storage.delete_disk", {"disk_id": disk_of(view).disk_id})

    return ControlStep("note_disk", note, forget), HostStep("make_disk", make, delete, timeout=60)


def of(view: View) -> Standing:
    """Return what `gather` found."""
    return msgspec.convert(view.results["gather"], Standing)


def on_host(view: View, verb: str, args: Mapping[str, Any]) -> HostCall:
    """Name a call to the server's host."""
    return HostCall(of(view).found["place"]["host_id"], verb, args)


def call(view: View, verb: str, **args: Any) -> HostCall:
    """Name a call to the server's host about the server."""
    return on_host(view, verb, {"server_id": view.server_id, **args})


def define(view: View, spec: DomainSpec) -> HostCall:
    """Name the call that makes a domain as described; it holds secrets."""
    arguments = {"spec": msgspec.to_builtins(spec)}
    return replace(on_host(view, "compute.define", arguments), secret=True)


def spec(view: View, disks: Sequence[DiskIntent] = (), **secrets: Any) -> DomainSpec:
    """Describe the domain: as it stands, or with `disks` and `secrets` in the place of its own.

    A disk was looked at, or made in a step with the key `make:<disk>`.
    """
    standing = of(view)
    looked = {
        f"make:{key.removeprefix('look:')}": result
        for key, result in view.results.items()
        if key.startswith("look:")
    }
    intent = replace(standing.intent, disks=tuple(disks)) if disks else standing.intent
    results = {**standing.found, **looked, **view.results}
    return domain_spec(intent, results, {**view.secrets, **secrets})


def _subject(view: View) -> str:
    return view.key.partition(":")[2]


def _look(view: View) -> HostCall:
    arguments = {"disk_id": _subject(view)}
    return on_host(view, "storage.describe_disk", arguments)


def plug(view: View) -> HostCall:
    """Have the tap named, which is there already as long as nobody took it away."""
    standing, port_id = of(view), _subject(view)
    (nic,) = [nic for nic in standing.intent.nics if nic.port_id == port_id]
    allocated = standing.found[f"allocate:{port_id}"]
    port = {
        "port_id": port_id,
        "network_id": nic.network_id,
        "mac": allocated["mac"],
        "addresses": allocated["addresses"],
        "hostname": standing.intent.hostname,
        "mtu": allocated["network"]["mtu"],
    }
    arguments = {"port": port, "network": allocated["network"]}
    return on_host(view, "network.plug", arguments)


def unplug(view: View) -> HostCall:
    """Name the call that takes away the tap of the port that the step's key names."""
    return on_host(view, "network.unplug", {"port_id": _subject(view)})


def _drop(view: View) -> HostCall:
    arguments = {"disk_id": _subject(view)}
    return on_host(view, "storage.delete_disk", arguments)


LOOK = HostStep("look", _look)
PLUG = HostStep("plug", plug)
DROP = HostStep("drop", _drop, timeout=60, retry=Retry(times=5))
