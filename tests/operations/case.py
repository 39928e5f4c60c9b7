"""A case of the step harness, and what most of them are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hanok.model.power import PowerState
from hanok.model.server import VmState
from hanok.reconcile.leftovers import MADE_BY
from hanok.store.journal import StepRow
from tests.operations.world import World


@dataclass(frozen=True)
class Case:
    """`before` prepares and returns a server's id or ""; `submit` starts the operation.

    `done` and `undone` check the world after it ended either way; `undo` is False for operations
    that are never unwound ("make absent"); a `variant` goes through steps that
    another case is killed at, too: its own kills and failing undos run in `make test-all`.
    """

    name: str
    kind: str
    before: Callable[[World], str]
    submit: Callable[[World, str], str]
    done: Callable[[World, str], None]
    undone: Callable[[World, str], None]
    undo: bool = True
    variant: bool = False


@dataclass(frozen=True)
class Action:
    """How an action is asked for, and what must hold after it."""

    submit: Callable[[World, str], str]
    done: Callable[[World, str], None]


def nothing(_world: World) -> str:
    """Prepare nothing; there is no subject yet."""
    return ""


def created(world: World) -> str:
    """Make a server from a volume."""
    server_id = world.create()
    world.settle()
    return server_id


def active(*, local: bool) -> Callable[[World, str], None]:
    """Check that the server runs and has one of everything."""

    def check(world: World, server_id: str) -> None:
        server = world.server(server_id)
        assert (server.vm_state, server.task_state, server.power_state) == ("active", None, 1)
        world.assert_exactly_one(local=local)

    return check


def does(name: str, body: object = None) -> Callable[[World, str], str]:
    """Start an action of a server's."""

    def submit(world: World, server_id: str) -> str:
        world.act(server_id, name, body)
        return server_id

    return submit


def rests(vm_state: VmState, power: PowerState) -> Callable[[World, str], None]:
    """Check where the server rests, on its row and on its host."""

    def check(world: World, server_id: str) -> None:
        server = world.server(server_id)
        assert (server.vm_state, server.task_state) == (vm_state, None)
        assert server.power_state == power
        assert world.drivers.compute.power_state(server_id) == power
        world.assert_exactly_one()

    return check


def on_host(name: str, kind: str, before: Callable[[World], str], action: Action) -> Case:
    """An action that only changes a server's power; it is never unwound."""
    variant = kind not in ("stop_server", "reboot_server")
    return Case(
        name, kind, before, action.submit, action.done, action.done, undo=False, variant=variant
    )


ON = rests(VmState.ACTIVE, PowerState.RUNNING)


def assert_makers_are_named(steps: Iterable[StepRow]) -> None:
    """Check that what makes a disk or a tap is keyed by its id: so a leftover's maker is found."""
    for step in steps:
        verb, args = (step.call or {}).get("verb"), (step.call or {}).get("args")
        name, _, made = step.key.partition(":")
        if verb == "storage.create_disk":
            assert args is not None
            assert name in MADE_BY["disk"]
            assert made == args["spec"]["disk_id"]
        if verb == "network.plug":
            assert args is not None
            assert name in MADE_BY["port"]
            assert made == args["port"]["port_id"]
