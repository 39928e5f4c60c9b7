"""What the step harness goes through is made of: a case, and what many cases do or check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.operations.world import World


@dataclass(frozen=True)
class Case:
    """`before` prepares and returns a server's id or ""; `submit` starts the operation.

    `done` and `undone` check the world after it ended either way; `undo` is False for operations
    that are never unwound ("make absent"); `variant` marks what another case already shows.
    """

    name: str
    kind: str
    before: Callable[[World], str]
    submit: Callable[[World, str], str]
    done: Callable[[World, str], None]
    undone: Callable[[World, str], None]
    undo: bool = True
    variant: bool = False


def active(*, local: bool) -> Callable[[World, str], None]:
    """Check that the server runs, with one of everything that it needs."""

    def check(world: World, server_id: str) -> None:
        server = world.server(server_id)
        assert (server.vm_state, server.task_state, server.power_state) == ("active", None, 1)
        world.assert_exactly_one(local=local)

    return check


def does(name: str, body: object = None) -> Callable[[World, str], str]:
    """Ask for an action on the server."""

    def submit(world: World, server_id: str) -> str:
        world.act(server_id, name, body)
        return server_id

    return submit
