from __future__ import annotations

import pytest

from hanok.model.errors import Invalid
from tests.operations.world import World


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("SOFT", "reboot_server@1"),
        ("soft", "reboot_server@1"),
        ("Hard", "hard_reboot_server@1"),
    ],
)
def test_both_kinds_in_each_spelling(world: World, kind: str, operation: str) -> None:
    server_id = world.create(local=True)
    world.settle()
    world.act(server_id, "reboot", {"type": kind})
    world.settle()
    assert world.last_operation(server_id).kind == operation
    assert world.server(server_id).vm_state == "active"


@pytest.mark.parametrize("kind", ["sOFT", "cold", "", None, 1])
def test_another_type_is_a_400(world: World, kind: object) -> None:
    server_id = world.create(local=True)
    world.settle()
    with pytest.raises(Invalid, match="Argument 'type' for reboot is HARD or SOFT"):
        world.ask(server_id, "reboot", {"type": kind})
    assert world.server(server_id).task_state is None
