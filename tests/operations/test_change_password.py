from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanok.model.server import status
from tests.operations.world import World

WORD = "correct-horse-battery"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    one = World(database_url, tmp_path).open()
    yield one
    one.close()


def made(world: World) -> str:
    server_id = world.create(local=True)
    world.start()
    world.settle()
    return server_id


def test_a_polling_client_sees_password(world: World) -> None:
    seen: list[str] = []
    server_id = made(world)

    def note(point: str) -> None:
        if point.startswith("change_password/set_password"):
            server = world.server(server_id)
            seen.append(status(server.vm_state, server.task_state, answering=True))

    world.failpoints.listen(note)
    world.act(server_id, "changePassword", {"adminPass": WORD})
    world.settle()
    assert set(seen) == {"PASSWORD"}
    assert world.last_operation(server_id).state == "done"


def test_an_agent_that_does_not_answer_leaves_the_server_as_it_was(world: World) -> None:
    server_id = made(world)
    faults = world.folder / "world" / "faults.json"
    rule = {"verb": "compute.set_password", "permanent": True, "message": "The agent is silent."}
    faults.write_text(json.dumps({"failures": [rule]}))
    world.act(server_id, "changePassword", {"adminPass": WORD})
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.task_state) == ("active", None)
    assert server.fault is not None
    assert server.fault["message"] == (
        "The agent is silent. Failed step: set the password in the guest."
    )
    assert WORD not in json.dumps(server.fault)


def test_fault_46_the_password_is_nowhere_in_the_clear(world: World) -> None:
    server_id = made(world)
    world.engine.stop()
    world.act(server_id, "changePassword", {"adminPass": WORD})
    for path in world.folder.rglob("*"):
        assert path.is_dir() or WORD.encode() not in path.read_bytes(), path
    operation = world.last_operation(server_id)
    assert WORD not in str(operation)


def test_the_user_is_the_one_that_the_image_names(world: World) -> None:
    server_id = made(world)
    from hanok.store import servers

    with world.store.write() as tx:
        servers.change(tx, server_id, 1, {"image_metadata": {"login_username": "debian"}})
    world.act(server_id, "changePassword", {"adminPass": WORD})
    world.settle()
    log = world.drivers.compute.console_log(server_id, 1 << 16)
    assert log.endswith(b"passwd: changed for debian\n")
