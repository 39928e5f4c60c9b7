from __future__ import annotations

from dataclasses import replace

import pytest

from hanok.model.errors import Conflict, Forbidden, Invalid, NotFound
from hanok.model.power import PowerState
from hanok.store import servers
from tests.operations.world import ADMIN, ELSEWHERE, World

KEY = "os-resetState"


@pytest.fixture
def server_id(world: World) -> str:
    made = world.create(local=True)
    world.settle()
    return made


def test_an_administrator_corrects_what_is_shown(world: World, server_id: str) -> None:
    foreign = replace(ADMIN, project_id=ELSEWHERE)
    for state, caller in (("error", ADMIN), ("active", foreign)):
        assert world.ask(server_id, KEY, {"state": state}, caller).status == 202
        assert world.server(server_id).vm_state == state
    assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
    with world.store.read() as reader:
        noted = [one.detail for one in servers.events(reader, server_id)]
    assert noted[-1] == {"state": "active", "was": "error", "task": None}


def test_a_task_that_is_shown_for_ever_is_taken_away(world: World, server_id: str) -> None:
    with world.store.write() as tx:
        servers.change(tx, server_id, 1, {"task_state": "rebooting"})
    world.ask(server_id, KEY, {"state": "active"}, ADMIN)
    assert world.server(server_id).task_state is None
    world.act(server_id, "os-stop")


def test_a_server_on_no_host_cannot_be_active(world: World, server_id: str) -> None:
    with world.store.write() as tx:
        servers.change(tx, server_id, 1, {"host_id": None, "vm_state": "error"})
    with pytest.raises(Conflict, match="it is on no host"):
        world.ask(server_id, KEY, {"state": "active"}, ADMIN)
    assert world.server(server_id).vm_state == "error"
    assert world.ask(server_id, KEY, {"state": "error"}, ADMIN).status == 202


@pytest.mark.parametrize("body", [None, {}, {"state": "stopped"}, {"state": ["active"]}, "active"])
def test_another_state_is_a_400(world: World, server_id: str, body: object) -> None:
    with pytest.raises(Invalid, match="is active or error"):
        world.ask(server_id, KEY, body, ADMIN)


def test_it_is_an_administrator_s(world: World, server_id: str) -> None:
    with pytest.raises(Forbidden, match="servers:reset"):
        world.ask(server_id, KEY, {"state": "error"})
    assert world.server(server_id).vm_state == "active"
    with pytest.raises(NotFound):
        world.ask("x", KEY, {"state": "error"}, ADMIN)
