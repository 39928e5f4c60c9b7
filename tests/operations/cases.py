"""The operations that the step harness goes through: how to start each, what must hold after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hanok.model.power import PowerState
from hanok.model.server import VmState
from tests.operations.case import ON, Action, Case
from tests.operations.case import active as _active
from tests.operations.case import created as _created
from tests.operations.case import does as _does
from tests.operations.case import nothing as _nothing
from tests.operations.case import on_host as _on_host
from tests.operations.case import rests as _rests
from tests.operations.disk_cases import CASES as DISK_CASES
from tests.operations.shelving_cases import SHELVING
from tests.operations.world import IMAGE, World


def _failed(world: World, server_id: str) -> None:
    server = world.server(server_id)
    assert (server.vm_state, server.task_state) == (VmState.ERROR, None)
    assert server.fault is not None
    assert server.fault["message"]
    world.assert_nothing_is_left()


def _deleted(world: World, server_id: str) -> None:
    server = world.server(server_id)
    assert server.vm_state == VmState.DELETED
    assert server.terminated_at is not None
    world.assert_nothing_is_left()


def _delete(world: World, server_id: str) -> str:
    world.delete(server_id)
    return server_id


def _undeleted(world: World, server_id: str) -> None:
    """A delete that failed for good shows ERROR; deleting again removes what is left."""
    assert world.server(server_id).vm_state == VmState.ERROR
    world.delete(server_id)
    world.settle()
    _deleted(world, server_id)


def _stopped(world: World) -> str:
    server_id = _created(world)
    world.act(server_id, "os-stop")
    world.settle()
    return server_id


def _after(name: str) -> Callable[[World], str]:
    def before(world: World) -> str:
        server_id = _created(world)
        world.act(server_id, name)
        world.settle()
        return server_id

    return before


def _resize(world: World, server_id: str) -> str:
    world.act(server_id, "resize", {"flavorRef": world.flavor(local=False, number=1)})
    return server_id


def _resizing(world: World) -> str:
    server_id = _created(world)
    _resize(world, server_id)
    world.settle()
    return server_id


def _resized(world: World, server_id: str) -> None:
    server = world.server(server_id)
    assert (server.vm_state, server.task_state, server.power_state) == ("resized", None, 1)
    assert server.flavor_id == world.flavor(local=False, number=1)
    assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
    world.assert_exactly_one()


def _not_resized(world: World, server_id: str) -> None:
    """A resize that failed leaves the server as it was, running, with the reason."""
    server = world.server(server_id)
    assert (server.vm_state, server.task_state) == ("active", None)
    assert server.flavor_id == world.flavor(local=False)
    assert server.fault is not None
    assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
    world.assert_exactly_one()


def _rescue(world: World, server_id: str) -> str:
    world.act(server_id, "rescue", status=200)
    return server_id


def _rescuing(world: World) -> str:
    server_id = _created(world)
    _rescue(world, server_id)
    world.settle()
    return server_id


def _rescued(world: World, server_id: str) -> None:
    server = world.server(server_id)
    assert (server.vm_state, server.task_state, server.power_state) == ("rescued", None, 1)
    assert server.rescued is not None
    assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
    first, second = world.domain(server_id).disks
    assert (first.disk.disk_id, first.boot_index) == (server.rescued["disk_id"], 1)
    assert (second.device, second.boot_index) == ("vdb", None)
    assert world.reality() == {"domains": 1, "disks": 2, "ports": 1, "networks": 1}
    assert world.rows()["local_disks"] == 1


def _not_rescued(world: World, server_id: str) -> None:
    """A rescue that failed leaves the server as it was, running, with the reason."""
    server = world.server(server_id)
    assert (server.vm_state, server.task_state, server.rescued) == ("active", None, None)
    assert server.fault is not None
    assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
    (disk,) = world.domain(server_id).disks
    assert (disk.device, disk.boot_index) == ("vda", 1)
    world.assert_exactly_one()


def _unrescued(world: World, server_id: str) -> None:
    ON(world, server_id)
    assert world.server(server_id).rescued is None
    (disk,) = world.domain(server_id).disks
    assert (disk.device, disk.boot_index) == ("vda", 1)


def _rebuild(world: World, server_id: str) -> str:
    world.act(server_id, "rebuild", {"imageRef": IMAGE})
    return server_id


def _rebuilt(world: World, server_id: str) -> None:
    ON(world, server_id)
    (disk,) = world.domain(server_id).disks
    assert (disk.device, disk.boot_index) == ("vda", 1)


def _not_rebuilt(world: World, server_id: str) -> None:
    """It is as it was while its disk is; after that it is in ERROR, off, and can be rebuilt."""
    server = world.server(server_id)
    assert server.task_state is None
    assert server.fault is not None
    power = world.drivers.compute.power_state(server_id)
    assert (server.vm_state, server.power_state, power) in (
        (VmState.ACTIVE, PowerState.RUNNING, PowerState.RUNNING),
        (VmState.ERROR, PowerState.SHUTDOWN, PowerState.SHUTDOWN),
    )
    error = world.last_operation(server_id).error or {}
    late = error["step"] in ("replace", "note_image", "define", "switch_on", "finish")
    assert (server.vm_state == VmState.ERROR) == late
    world.assert_exactly_one()
    if late:
        _rebuild(world, server_id)
        world.settle()
        _rebuilt(world, server_id)


HELD = _rests(VmState.PAUSED, PowerState.PAUSED)
SAVED = _rests(VmState.SUSPENDED, PowerState.SUSPENDED)
OFF = _rests(VmState.STOPPED, PowerState.SHUTDOWN)
POWER = (
    _on_host("start_server", "start_server", _stopped, Action(_does("os-start"), ON)),
    _on_host("stop_server", "stop_server", _created, Action(_does("os-stop"), OFF)),
    _on_host(
        "reboot_server",
        "reboot_server",
        _created,
        Action(_does("reboot", {"type": "SOFT"}), ON),
    ),
    Case(
        name="resize_server",
        kind="resize_server",
        before=_created,
        submit=_resize,
        done=_resized,
        undone=_not_resized,
    ),
    Case(
        name="revert_resize",
        kind="revert_resize",
        before=_resizing,
        submit=_does("revertResize"),
        done=ON,
        undone=_resized,
        variant=True,
    ),
    Case(
        name="rescue_server",
        kind="rescue_server",
        before=_created,
        submit=_rescue,
        done=_rescued,
        undone=_not_rescued,
        variant=True,
    ),
    Case(
        name="rebuild_server",
        kind="rebuild_server",
        before=_created,
        submit=_rebuild,
        done=_rebuilt,
        undone=_not_rebuilt,
        variant=True,
    ),
    Case(
        name="unrescue_server",
        kind="unrescue_server",
        before=_rescuing,
        submit=_does("unrescue"),
        done=_unrescued,
        undone=_unrescued,
        undo=False,
        variant=True,
    ),
    _on_host("pause_server", "pause_server", _created, Action(_does("pause"), HELD)),
    _on_host("unpause_server", "unpause_server", _after("pause"), Action(_does("unpause"), ON)),
    _on_host("suspend_server", "suspend_server", _created, Action(_does("suspend"), SAVED)),
    _on_host("resume_server", "resume_server", _after("suspend"), Action(_does("resume"), ON)),
    _on_host(
        "hard_reboot_server",
        "hard_reboot_server",
        _created,
        Action(_does("reboot", {"type": "hard"}), ON),
    ),
)


def large_request(world: World) -> dict[str, Any]:
    blank = {"source_type": "blank", "destination_type": "volume", "volume_size": 1}
    root = {"source_type": "image", "uuid": IMAGE, "boot_index": 0, "volume_size": 10}
    both = {"destination_type": "volume", "delete_on_termination": True}
    devices = [{**device, **both} for device in (root, blank)]
    return {"block_device_mapping_v2": devices, "networks": [{"subnet": world.subnet()}] * 2}


def _large(world: World, server_id: str) -> None:
    assert world.server(server_id).vm_state == VmState.ACTIVE
    assert world.reality() == {"domains": 1, "disks": 2, "ports": 2, "networks": 1}
    rows = world.rows()
    assert (rows["volumes"], rows["volume_attachments"], rows["ports"]) == (2, 2, 2)


CASES = (
    Case(
        name="create_server from a volume",
        kind="create_server",
        before=_nothing,
        submit=lambda world, _: world.create(),
        done=_active(local=False),
        undone=_failed,
    ),
    Case(
        name="create_server on a local disk",
        kind="create_server",
        before=_nothing,
        submit=lambda world, _: world.create(local=True),
        done=_active(local=True),
        undone=_failed,
        variant=True,
    ),
    Case(
        name="create_server with further disks and interfaces",
        kind="create_server",
        before=_nothing,
        submit=lambda world, _: world.create(**large_request(world)),
        done=_large,
        undone=_failed,
        variant=True,
    ),
    Case(
        name="delete_server",
        kind="delete_server",
        before=_created,
        submit=_delete,
        done=_deleted,
        undone=_undeleted,
        undo=False,
    ),
    *POWER,
    *SHELVING,
    *DISK_CASES,
)
BY_NAME = {case.name: case for case in CASES}
