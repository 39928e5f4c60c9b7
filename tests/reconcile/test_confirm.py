from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanok.model.moments import SECOND
from hanok.model.server import VmState
from hanok.reconcile.confirm import Confirmations
from tests.operations.world import World


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    one = World(database_url, tmp_path).open().start()
    yield one
    one.close()


def resized(world: World) -> str:
    server_id = world.create()
    world.settle()
    world.act(server_id, "resize", {"flavorRef": world.flavor(local=False, number=1)})
    world.settle()
    assert world.server(server_id).vm_state == VmState.RESIZED
    return server_id


def test_a_resize_rests_and_then_confirms_itself(world: World) -> None:
    server_id = resized(world)
    due = Confirmations(world.store, world.engine, world.clock, after=10_000).run()
    at = (world.server(server_id).resized or {})["at"]
    assert due == at + 10_000 * SECOND
    assert world.server(server_id).vm_state == VmState.RESIZED

    time.sleep(0.02)
    assert Confirmations(world.store, world.engine, world.clock, after=0.1).run() is None
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.task_state) == (VmState.ACTIVE, None)
    assert set(server.resized or {}) == {"confirmed_at"}
    world.assert_exactly_one()


def test_nothing_waits_when_nothing_is_resized(world: World) -> None:
    assert Confirmations(world.store, world.engine, world.clock, after=0).run() is None
