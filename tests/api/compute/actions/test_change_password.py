from __future__ import annotations

import pytest

from hanok.model.errors import Conflict, Invalid
from tests.operations.world import World

KEY = "changePassword"


@pytest.fixture
def server_id(world: World) -> str:
    made = world.create(local=True)
    world.settle()
    return made


def test_the_guest_hears_of_it(world: World, server_id: str) -> None:
    with world.misbehaving(delays={"compute.set_password": [0.3, 0.3]}):
        world.act(server_id, KEY, {"adminPass": "new-word"})
        assert world.server(server_id).task_state == "updating_password"
        with pytest.raises(Conflict, match="in task_state updating_password"):
            world.ask(server_id, KEY, {"adminPass": "another"})
        world.settle()
    assert b"passwd: changed for root" in world.drivers.compute.console_log(server_id, 1 << 16)
    assert world.server(server_id).task_state is None


@pytest.mark.parametrize(
    "body", [None, {}, {"adminPass": None}, {"adminPass": ""}, {"adminPass": "x" * 256}, "word"]
)
def test_a_password_has_1_to_255_characters(world: World, server_id: str, body: object) -> None:
    with pytest.raises(Invalid, match="1 to 255 characters"):
        world.ask(server_id, KEY, body)
    assert world.server(server_id).task_state is None


def test_a_server_that_is_off_has_nobody_to_ask(world: World, server_id: str) -> None:
    world.act(server_id, "os-stop")
    world.settle()
    with pytest.raises(Conflict, match=r"Cannot 'changePassword' instance .* vm_state stopped"):
        world.ask(server_id, KEY, {"adminPass": "new-word"})
