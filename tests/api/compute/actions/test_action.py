"""How any action begins: checked by the one table, shown on the row, and submitted once."""

from __future__ import annotations

import pytest

from hanok.api.compute.actions.action import begin, power_action
from hanok.model import lifecycle
from hanok.model.errors import Conflict
from hanok.operations import pause_server
from hanok.store import journal, servers
from tests.operations.world import World


@pytest.fixture
def server_id(world: World) -> str:
    """A server that runs, in a region that has stopped: what a request does alone can be seen."""
    made = world.create()
    world.settle()
    world.engine.stop()
    return made


def operations(world: World, server_id: str) -> list[str]:
    with world.store.read() as reader:
        return [one.kind for one in journal.of_server(reader, server_id)]


def test_an_action_that_begins_is_shown_and_nothing_else_changes(
    world: World, server_id: str
) -> None:
    before = world.server(server_id)
    with world.store.write() as tx:
        action = begin(world.call(server=server_id), tx, before, "pause")
    assert action == lifecycle.ACTIONS["pause"]
    after = world.server(server_id)
    assert after.task_state == action.during == "pausing"
    assert (after.vm_state, after.power_state) == (before.vm_state, before.power_state)
    assert after.updated_at > before.updated_at
    assert operations(world, server_id) == ["create_server@1"]


def test_what_the_table_forbids_is_refused_in_novas_words(world: World, server_id: str) -> None:
    server = world.server(server_id)
    words = f"Cannot 'unpause' instance {server_id} while it is in vm_state active"
    with world.store.write() as tx, pytest.raises(Conflict) as refused:
        begin(world.call(server=server_id), tx, server, "unpause")
    assert refused.value.message == words
    assert world.server(server_id) == server


def test_a_second_action_waits_for_nobody_and_is_refused(world: World, server_id: str) -> None:
    with world.store.write() as tx:
        begin(world.call(server=server_id), tx, world.server(server_id), "pause")
    busy = world.server(server_id)
    with world.store.write() as tx, pytest.raises(Conflict, match="task_state pausing"):
        begin(world.call(server=server_id), tx, busy, "suspend")
    assert world.server(server_id).task_state == "pausing"


def test_a_power_action_is_accepted_with_its_operation(world: World, server_id: str) -> None:
    with world.store.write() as tx:
        answer = power_action(
            world.call(server=server_id), tx, world.server(server_id), "pause", pause_server.KIND
        )
    assert (answer.status, answer.body) == (202, None)
    assert operations(world, server_id)[-1] == "pause_server@1"
    world.reopen()
    world.settle()
    assert world.server(server_id).vm_state == "paused"


def test_a_request_that_fails_after_all_has_begun_nothing(world: World, server_id: str) -> None:
    """The mark and the operation are of one transaction."""

    def fail() -> None:
        call = world.call(server=server_id)
        with world.store.write() as tx:
            power_action(call, tx, world.server(server_id), "pause", pause_server.KIND)
            raise RuntimeError("the process thinks better of it")

    with pytest.raises(RuntimeError):
        fail()
    assert world.server(server_id).task_state is None
    assert operations(world, server_id) == ["create_server@1"]


def test_a_server_that_changed_since_it_was_read_is_judged_as_it_is(
    world: World, server_id: str
) -> None:
    with world.store.write() as tx:
        servers.change(tx, server_id, 1, {"task_state": "deleting"})
    with pytest.raises(Conflict, match="deleting"):
        world.act(server_id, "pause")
