"""From a checked request to what is stored: the server's row, and the intent of its operation."""

from __future__ import annotations

from dataclasses import dataclass

from hanok.api._call import Call
from hanok.api.compute.server_networks import Interface
from hanok.guest.config_drive import hostname
from hanok.model.create_rules import Root
from hanok.model.devices import ROOT, lowest_free
from hanok.model.flavor import Flavor
from hanok.model.image import Image
from hanok.model.server import Server, TaskState, VmState
from hanok.model.server_create import BlockDevice, ServerCreate
from hanok.operations.intent import DiskIntent, NicIntent, ServerIntent

_SHOWN_PROPERTIES = (
    "os_distro",
    "os_version",
    "os_type",
    "os_architecture",
    "description",
    "project_domain",
    "hypervisor_type",
    "monitoring_agent",
    "login_username",
    "tc_env",
)
"""The image properties that NHN Cloud shows among a server's metadata."""


@dataclass(frozen=True, slots=True)
class Further:
    """Block storage beside the root disk, resolved."""

    device: BlockDevice
    image: Image | None
    volume_type: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A request with everything that it refers to."""

    flavor: Flavor
    image: Image
    root: Root
    zone: str | None
    public_key: str | None
    group_ids: tuple[str, ...]
    interfaces: tuple[Interface, ...]
    further: tuple[Further, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """One server's place among those of a request."""

    reservation: str
    index: int
    count: int


def intent_of(call: Call, request: ServerCreate, found: Resolved, place: Place) -> ServerIntent:
    """Choose every id and say what is to be made."""
    region, credentials = call.region, call.credentials
    server_id = region.clock.new_id()
    name = request.name if place.count == 1 else f"{request.name}-{place.index + 1}"
    return ServerIntent(
        server_id=server_id,
        project_id=credentials.project_id,
        user_id=credentials.user_id,
        name=name,
        hostname=hostname(name, server_id),
        vcpus=found.flavor.vcpus,
        ram_mib=found.flavor.ram_mib,
        zone=found.zone,
        image_id=found.image.id,
        disks=_disks(call, found),
        nics=tuple(_nic(call, one, position) for position, one in enumerate(found.interfaces)),
        group_ids=found.group_ids,
        key_name=request.key_name,
        public_key=found.public_key,
        launch_index=place.index,
        metadata=request.metadata,
        image_metadata={k: str(v) for k, v in found.image.properties.items()},
    )


def _disks(call: Call, found: Resolved) -> tuple[DiskIntent, ...]:
    """Say which disks are to be made: the root disk first, the others behind it."""
    root = found.root
    disks = [
        DiskIntent(
            disk_id=call.region.clock.new_id(),
            destination=root.destination,
            size_gib=root.size_gib,
            device=ROOT,
            boot_index=0,
            image_id=found.image.id,
            image_format=found.image.disk_format or "raw",
            volume_type=root.volume_type or "",
            delete_on_termination=root.delete_on_termination,
        )
    ]
    for one in found.further:
        disks.append(
            DiskIntent(
                disk_id=call.region.clock.new_id(),
                destination="volume",
                size_gib=one.device.size_gib or 0,
                device=lowest_free({disk.device for disk in disks}),
                image_id=one.image.id if one.image else None,
                image_format=(one.image.disk_format or "raw") if one.image else None,
                volume_type=one.volume_type,
                delete_on_termination=one.device.delete_on_termination,
            )
        )
    return tuple(disks)


def _nic(call: Call, one: Interface, position: int) -> NicIntent:
    return NicIntent(
        port_id=one.port_id or call.region.clock.new_id(),
        network_id=one.network_id,
        position=position,
        subnet_id=one.subnet_id,
        address=one.address,
        existing=one.existing,
    )


def row_of(
    intent: ServerIntent, request: ServerCreate, found: Resolved, place: Place, now: int
) -> Server:
    """Describe the server before anything of it is made."""
    return Server(
        id=intent.server_id,
        project_id=intent.project_id,
        user_id=intent.user_id,
        name=intent.name,
        flavor_id=found.flavor.id,
        image_id=intent.image_id,
        key_name=intent.key_name,
        host_id=None,
        availability_zone=intent.zone or "",
        vm_state=VmState.BUILDING,
        task_state=TaskState.SCHEDULING,
        power_state=0,
        generation=0,
        vcpus=intent.vcpus,
        ram_mib=intent.ram_mib,
        root_gib=intent.root.size_gib,
        ephemeral_gib=found.flavor.ephemeral_gib,
        config_drive="True" if request.config_drive else "",
        metadata=request.metadata,
        image_metadata=shown(found.image, found.root.size_gib),
        reservation_id=place.reservation,
        fault=None,
        resized=None,
        shelved=None,
        rescued=None,
        locked_by=None,
        created_at=now,
        updated_at=now,
        launched_at=None,
        terminated_at=None,
    )


def shown(image: Image, root_gib: int) -> dict[str, str]:
    """Pick what a server's metadata show of its image (the guide's "Get Instance")."""
    properties = {
        name: str(image.properties[name]) for name in _SHOWN_PROPERTIES if name in image.properties
    }
    return {**properties, "image_name": image.name or "", "volume_size": str(root_gib)}
