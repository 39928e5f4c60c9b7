"""The operations that the step harness goes through: how to start each, what must hold after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hanok.model.server import VmState
from tests.operations.world import World


@dataclass(frozen=True)
class Case:
    """`before` prepares and returns a server's id or ""; `submit` starts the operation.

    `done` and `undone` check the world after it ended either way; `undo` is False for operations
    that are never unwound ("make absent").
    """

    name: str
    kind: str
    before: Callable[[World], str]
    submit: Callable[[World, str], str]
    done: Callable[[World, str], None]
    undone: Callable[[World, str], None]
    undo: bool = True


def _nothing(_world: World) -> str:
    return ""


def _created(world: World) -> str:
    server_id = world.create()
    world.settle()
    return server_id


def _active(*, local: bool) -> Callable[[World, str], None]:
    def check(world: World, server_id: str) -> None:
        server = world.server(server_id)
        assert (server.vm_state, server.task_state, server.power_state) == ("active", None, 1)
        world.assert_exactly_one(local=local)

    return check


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
)
BY_NAME = {case.name: case for case in CASES}
