from __future__ import annotations

import pytest

from hanok.model.errors import Conflict
from tests.operations.world import ADMIN, World


def test_nothing_is_left_and_asking_twice_is_asking_once(world: World) -> None:
    server_id = world.create()
    world.settle()
    world.act(server_id, "forceDelete")
    world.act(server_id, "forceDelete")
    world.settle()
    assert world.server(server_id).vm_state == "deleted"
    world.assert_nothing_is_left()


def test_a_locked_server_stays(world: World) -> None:
    server_id = world.create(local=True)
    world.settle()
    world.act(server_id, "lock")
    with pytest.raises(Conflict, match="is locked"):
        world.ask(server_id, "forceDelete")
    assert world.ask(server_id, "forceDelete", caller=ADMIN).status == 202
    world.settle()
    world.assert_nothing_is_left()
