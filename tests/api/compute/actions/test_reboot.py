from __future__ import annotations

import pytest

from tests.operations.world import World


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("SOFT", "reboot_server@1"),
        ("soft", "reboot_server@1"),
        ("Hard", "hard_reboot_server@1"),
    ],
)
def test_both_kinds_in_any_spelling(world: World, kind: str, operation: str) -> None:
    server_id = world.create(local=True)
    world.settle()
    world.act(server_id, "reboot", {"type": kind})
    world.settle()
    assert world.last_operation(server_id).kind == operation
    assert world.server(server_id).vm_state == "active"
