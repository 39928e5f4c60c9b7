from __future__ import annotations

from typing import Any

import pytest

from hanok.api._call import Answer
from hanok.model.errors import Conflict, HanokError, Invalid, NotFound
from hanok.model.lifecycle import ACTIONS, ANY_STATE, check
from hanok.model.server import TaskState, VmState
from hanok.store import hosts
from tests.operations.world import HOST, World, endpoint_of

BODIES: dict[str, tuple[str, Any]] = {
    "start": ("os-start", None),
    "stop": ("os-stop", None),
    "reboot": ("reboot", {"type": "SOFT"}),
    "hard reboot": ("reboot", {"type": "HARD"}),
    "pause": ("pause", None),
    "unpause": ("unpause", None),
    "suspend": ("suspend", None),
    "resume": ("resume", None),
    "shelve": ("shelve", None),
}


def act(world: World, server_id: str, body: object) -> Answer:
    endpoint = endpoint_of("POST", "/v2/{tenant}/servers/{server}/action")
    answer: Answer = endpoint.handler(world.call(body, server=server_id))
    return answer


def put(world: World, server_id: str, vm_state: str, task_state: str | None = None) -> None:
    """Put a server into a state that the table is asked about."""
    from sqlalchemy import update

    from hanok.store.region_tables import servers

    with world.store.write() as tx:
        tx.run(
            update(servers)
            .where(servers.c.id == server_id)
            .values(vm_state=vm_state, task_state=task_state)
        )


@pytest.fixture
def server_id(world: World) -> str:
    made = world.create(local=True)
    world.settle()
    return made


@pytest.mark.parametrize("name", BODIES)
def test_fault_60_each_action_in_each_state_is_as_the_table_says(
    world: World, server_id: str, name: str
) -> None:
    key, body = BODIES[name]
    for vm_state in sorted(ANY_STATE):
        put(world, server_id, vm_state)
        if vm_state in ACTIONS[name].vm_states:
            assert act(world, server_id, {key: body}).status == 202
            world.settle()
            server = world.server(server_id)
            assert (server.vm_state, server.task_state) == (ACTIONS[name].ends, None)
        else:
            with pytest.raises(Conflict) as caught:
                act(world, server_id, {key: body})
            assert caught.value.message == (
                f"Cannot '{key.removeprefix('os-')}' instance {server_id} while it is in vm_state "
                f"{vm_state}"
            )


@pytest.mark.parametrize("body", [{"os-stop": None}, {"reboot": {"type": "HARD"}}])
def test_what_has_never_run_has_nothing_to_switch(world: World, body: dict[str, Any]) -> None:
    """A server that no host had room for."""
    with world.store.write() as tx:
        hosts.set_state(tx, HOST, "down", world.clock.now())
    server_id = world.create()
    world.settle()
    assert world.server(server_id).vm_state == VmState.ERROR
    with pytest.raises(Conflict, match=r"is in an invalid state for '(stop|reboot)'"):
        act(world, server_id, body)
    assert world.server(server_id).task_state is None


def test_a_task_in_hand_is_a_conflict_except_for_what_overtakes(
    world: World, server_id: str
) -> None:
    put(world, server_id, VmState.ACTIVE, TaskState.REBOOTING)
    with pytest.raises(Conflict, match="while it is in task_state rebooting"):
        act(world, server_id, {"os-stop": None})
    assert act(world, server_id, {"reboot": {"type": "HARD"}}).status == 202
    world.settle()
    assert world.server(server_id).task_state is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"dance": None}, "There is no such action: dance"),
        ({}, "names one action"),
        ({"os-start": None, "os-stop": None}, "names one action"),
        ([], "Malformed"),
        ({"reboot": None}, "HARD or SOFT"),
        ({"reboot": {"type": "warm"}}, "HARD or SOFT"),
        ({"reboot": {"type": 7}}, "HARD or SOFT"),
        ({"addSecurityGroup": {}}, "security group"),
        ({"addSecurityGroup": {"name": ""}}, "security group"),
        ({"removeSecurityGroup": []}, "security group"),
        ({"os-getConsoleOutput": {"length": "x"}}, "length"),
    ],
)
def test_odd_bodies_are_a_400(world: World, server_id: str, body: object, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        act(world, server_id, body)
    assert text in caught.value.message


def test_no_such_server_is_a_404_for_every_action(world: World) -> None:
    for key, body in BODIES.values():
        with pytest.raises(NotFound):
            act(world, "11111111-2222-3333-4444-555555555555", {key: body})


def test_the_statuses_that_a_polling_client_sees(world: World) -> None:
    from hanok.model.server import status

    for name, shown in (("reboot", "REBOOT"), ("hard reboot", "HARD_REBOOT")):
        during = ACTIONS[name].during
        assert status(VmState.ACTIVE, during, answering=True) == shown
    assert status(VmState.ACTIVE, ACTIONS["stop"].during, answering=True) == "ACTIVE"
    assert status(VmState.STOPPED, ACTIONS["start"].during, answering=True) == "SHUTOFF"


def test_the_table_itself_refuses_what_is_deleted(world: World, server_id: str) -> None:
    world.delete(server_id)
    world.settle()
    server = world.server(server_id)
    for action in ACTIONS.values():
        with pytest.raises(HanokError):
            check(action, server)
