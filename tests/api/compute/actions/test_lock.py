from __future__ import annotations

from dataclasses import replace

import pytest

from hanok.model.errors import Conflict, Forbidden
from hanok.store import servers
from tests.operations.world import ADMIN, MEMBER, World

COLLEAGUE = replace(MEMBER, user_id="e" * 32)


@pytest.fixture
def server_id(world: World) -> str:
    made = world.create(local=True)
    world.settle()
    return made


def test_a_locked_server_stays_as_it_is_until_it_is_unlocked(world: World, server_id: str) -> None:
    world.act(server_id, "lock")
    world.act(server_id, "lock")
    assert world.server(server_id).locked_by == "owner"
    for caller in (MEMBER, COLLEAGUE):
        with pytest.raises(Conflict) as caught:
            world.ask(server_id, "os-stop", caller=caller)
        assert caught.value.message == f"Instance {server_id} is locked"
    assert world.server(server_id).task_state is None
    assert world.ask(server_id, "unlock", caller=COLLEAGUE).status == 202
    world.act(server_id, "unlock")
    assert world.server(server_id).locked_by is None
    world.act(server_id, "os-stop")
    world.settle()
    assert world.server(server_id).vm_state == "stopped"


def test_an_administrator_passes_and_his_lock_is_his_to_open(world: World, server_id: str) -> None:
    assert world.ask(server_id, "lock", caller=ADMIN).status == 202
    world.act(server_id, "lock")
    assert world.server(server_id).locked_by == "admin", "an owner does not take it over"
    with pytest.raises(Forbidden, match="unlock_override"):
        world.ask(server_id, "unlock")
    assert world.server(server_id).locked_by == "admin"
    assert world.ask(server_id, "os-stop", caller=ADMIN).status == 202
    world.settle()
    assert world.server(server_id).vm_state == "stopped"
    assert world.ask(server_id, "unlock", caller=ADMIN).status == 202
    assert world.server(server_id).locked_by is None


def test_an_owner_s_lock_is_opened_by_an_administrator(world: World, server_id: str) -> None:
    world.act(server_id, "lock")
    assert world.ask(server_id, "unlock", caller=ADMIN).status == 202
    assert world.server(server_id).locked_by is None


def test_the_timeline_says_who_locked_and_unlocked(world: World, server_id: str) -> None:
    world.act(server_id, "lock")
    world.ask(server_id, "unlock", caller=ADMIN)
    with world.store.read() as reader:
        noted = [(one.name, one.detail) for one in servers.events(reader, server_id)]
    assert noted[-2:] == [
        ("locked", {"user": MEMBER.user_id}),
        ("unlocked", {"user": ADMIN.user_id}),
    ]
