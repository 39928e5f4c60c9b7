"""The steps of power: what is asked of the host in which order, and where a server rests after."""

from __future__ import annotations

import pytest

from hanok.engine.sealing import Sealer
from hanok.engine.steps import HostStep, Work
from hanok.model.power import PowerState
from hanok.model.server import TaskState, VmState
from hanok.operations.power import POWER, SHUT_DOWN, change, one_call
from hanok.store import journal, servers
from tests.operations.volumes_made import a_server, events, refuses
from tests.operations.world import World


def steps(world: World, server_id: str) -> list[str]:
    """The steps of the server's last operation, in the order in which they ended."""
    with world.store.read() as reader:
        last = journal.of_server(reader, server_id)[-1]
        return [step.key for step in journal.steps_of(reader, last.id)]


def rest(world: World, server_id: str) -> tuple[str, str | None, int]:
    server = world.server(server_id)
    return server.vm_state, server.task_state, server.power_state


def test_every_state_at_rest_that_an_action_ends_in_has_its_power() -> None:
    assert set(POWER) == {VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED}
    assert len(set(POWER.values())) == 4


def test_a_guest_is_asked_before_its_power_is_cut(world: World) -> None:
    server_id = a_server(world)
    world.act(server_id, "os-stop")
    world.settle()
    assert steps(world, server_id) == [*(step.name for step in SHUT_DOWN), "finish"]
    assert rest(world, server_id) == ("stopped", None, PowerState.SHUTDOWN)
    assert b"Power down" in world.drivers.compute.console_log(server_id, 500), "by itself"


def test_a_guest_that_does_not_hear_loses_its_power_in_the_end(world: World) -> None:
    server_id = a_server(world)
    with world.misbehaving(shutdown_s=[600, 600]):
        world.act(server_id, "os-stop")
        world.settle()
    assert rest(world, server_id) == ("stopped", None, PowerState.SHUTDOWN)
    assert world.drivers.compute.power_state(server_id) == PowerState.SHUTDOWN
    assert b"Power down" not in world.drivers.compute.console_log(server_id, 1 << 16)


def test_only_a_start_changes_when_a_server_was_launched(world: World) -> None:
    server_id = a_server(world)
    launched = world.server(server_id).launched_at
    assert launched is not None
    for action in ("pause", "unpause", "os-stop"):
        world.act(server_id, action)
        world.settle()
        assert world.server(server_id).launched_at == launched, action
    world.act(server_id, "os-start")
    world.settle()
    again = world.server(server_id).launched_at
    assert again is not None
    assert again > launched


FAILING: list[tuple[str, str, str, str]] = [
    ("os-stop", "compute.power_off", "power the domain off", "not stopped"),
    ("pause", "compute.pause", "call the host", "not paused"),
    ("suspend", "compute.suspend", "call the host", "not suspended"),
    ("reboot", "compute.start", "start the domain", "not active"),
]


@pytest.mark.parametrize(("action", "verb", "step", "said"), FAILING)
def test_a_failure_leaves_the_server_where_it_was_with_the_reason(
    world: World, action: str, verb: str, step: str, said: str
) -> None:
    server_id = a_server(world)
    with world.misbehaving(failures=refuses(verb, "Not today.")):
        world.act(server_id, action, {"type": "HARD"} if action == "reboot" else None)
        world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.task_state) == ("active", None)
    assert server.fault is not None
    message = f"Not today. Failed step: {step}."
    assert (server.fault["code"], server.fault["message"]) == (500, message)
    assert events(world, server_id)[-1] == (said, {"message": message})


def test_what_goes_well_afterwards_takes_the_reason_away(world: World) -> None:
    server_id = a_server(world)
    with world.misbehaving(failures=refuses("compute.pause")):
        world.act(server_id, "pause")
        world.settle()
    assert world.server(server_id).fault is not None
    world.act(server_id, "pause")
    world.settle()
    assert world.server(server_id).fault is None
    assert rest(world, server_id) == ("paused", None, PowerState.PAUSED)
    assert events(world, server_id)[-1][0] == "now paused"


@pytest.mark.parametrize(
    ("mark", "during", "left"),
    [
        ("deleting", "powering-off", "deleting"),
        (str(TaskState.REBOOTING_HARD), "powering-off", str(TaskState.REBOOTING_HARD)),
        (str(TaskState.REBOOTING_HARD), str(TaskState.REBOOTING_HARD), None),
        ("powering-off", "powering-off", None),
    ],
)
def test_what_ends_while_another_waits_leaves_that_one_s_mark(
    world: World, mark: str, during: str, left: str | None
) -> None:
    server_id = a_server(world)
    with world.store.write() as tx:
        servers.change(tx, server_id, 1, {"task_state": mark})
        work = Work(
            operation_id="o",
            project_id="p",
            server_id=server_id,
            intent={"during": during},
            key="finish",
            args={},
            results={},
            secrets={},
            tx=tx,
            now=world.clock.now(),
            sealer=Sealer.from_file(world.folder / "key", world.clock.random_bytes),
        )
        change(work, {"task_state": None, "vm_state": VmState.STOPPED})
    assert rest(world, server_id)[:2] == ("stopped", left)


def test_a_delete_overtakes_a_stop(world: World) -> None:
    server_id = a_server(world)
    world.engine.stop()
    world.act(server_id, "os-stop")
    world.delete(server_id)
    assert world.server(server_id).task_state == "deleting"
    world.reopen()
    world.settle()
    assert world.server(server_id).vm_state == "deleted"
    world.assert_nothing_is_left()


def test_a_hard_reboot_gets_a_server_out_of_a_stop_that_hangs(world: World) -> None:
    server_id = a_server(world)
    with world.misbehaving(shutdown_s=[600, 600]):
        world.act(server_id, "reboot", {"type": "SOFT"})
        world.act(server_id, "reboot", {"type": "HARD"})
        world.settle()
    assert rest(world, server_id) == ("active", None, PowerState.RUNNING)
    with world.store.read() as reader:
        ended = [one.state for one in journal.of_server(reader, server_id)]
    assert ended[-1] == "done"


def test_a_server_that_is_gone_is_not_changed(world: World) -> None:
    server_id = a_server(world)
    world.engine.stop()
    world.act(server_id, "pause")
    with world.store.write() as tx:
        servers.change(tx, server_id, 1, {"terminated_at": 1, "vm_state": VmState.DELETED})
    world.reopen()
    world.settle()
    assert world.server(server_id).vm_state == "deleted"


def test_an_operation_of_one_call_waits_as_long_as_it_is_told() -> None:
    made = one_call("suspend_server", "compute.suspend", timeout=120.0)
    assert [step.name for step in made.steps] == ["call", "finish"]
    call = made.steps[0]
    assert isinstance(call, HostStep)
    assert call.timeout == 120.0
    assert made.kind == "suspend_server@1"
