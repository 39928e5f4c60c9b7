from __future__ import annotations

import pytest

from hanok.model.errors import Conflict, Invalid
from hanok.store import servers
from tests.operations.world import World, endpoint_of


def output(world: World, server_id: str, body: object) -> str:
    endpoint = endpoint_of("POST", "/v2/{tenant}/servers/{server}/action")
    answer = endpoint.handler(world.call({"os-getConsoleOutput": body}, server=server_id))
    assert answer.status == 200
    return str(answer.body["output"])


def test_the_console_is_the_guest_s_own(world: World) -> None:
    server_id = world.create(local=True)
    world.settle()
    text = output(world, server_id, {})
    assert "Linux version" in text
    assert "login:" in text
    assert output(world, server_id, {"length": 1}) == text.splitlines()[-1]
    assert output(world, server_id, {"length": "0"}) == ""
    assert output(world, server_id, {"length": -1}) == text
    assert output(world, server_id, None) == text
    with pytest.raises(Invalid, match="It is not an integer from -1 on"):
        output(world, server_id, {"length": -2})


def test_a_server_without_a_host_has_none(world: World) -> None:
    server_id = world.create(local=True)
    world.settle()
    with world.store.write() as tx:
        servers.change(tx, server_id, 1, {"host_id": None})
    with pytest.raises(Conflict, match="is not ready"):
        output(world, server_id, {})
