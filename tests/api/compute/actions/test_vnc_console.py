"""A real screen's greeting is read in tests/drivers/libvirt/test_compute.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from hanok.model.errors import Conflict, HostError, HostUnreachable, Invalid
from hanok.store import servers
from tests.operations.world import World

KEY = "os-getVNCConsole"


@pytest.fixture
def server_id(world: World) -> str:
    made = world.create(local=True)
    world.settle()
    return made


@dataclass
class Failing:
    """A host that answers every question with one failure."""

    failure: HostError

    def query(self, host_id: str, verb: str, args: Mapping[str, Any], deadline: float) -> Any:
        assert verb == "compute.screen_url"
        raise self.failure


def test_a_running_guest_has_a_screen(world: World, server_id: str) -> None:
    for kind in ("novnc", "xvpvnc"):
        answer = world.ask(server_id, KEY, {"type": kind})
        assert answer.status == 200
        url = f"vnc+simulated:///{server_id}"
        assert answer.body == {"console": {"type": kind, "url": url}}
    world.act(server_id, "pause")
    world.settle()
    assert world.ask(server_id, KEY, {"type": "novnc"}).status == 200


def test_without_a_running_domain_it_is_not_ready(world: World, server_id: str) -> None:
    world.act(server_id, "os-stop")
    world.settle()
    with pytest.raises(Conflict) as caught:
        world.ask(server_id, KEY, {"type": "novnc"})
    assert caught.value.message == f"Instance {server_id} is not ready"
    with world.store.write() as tx:
        servers.change(tx, server_id, 1, {"host_id": None})
    with pytest.raises(Conflict, match="is not ready"):
        world.ask(server_id, KEY, {"type": "novnc"})


@pytest.mark.parametrize("failure", [HostError("busy"), HostUnreachable("gone", permanent=True)])
def test_a_host_in_trouble_is_not_the_server_s_state(
    world: World, server_id: str, failure: HostError
) -> None:
    world.region = replace(world.region, hosts=Failing(failure))
    with pytest.raises(HostError) as caught:
        world.ask(server_id, KEY, {"type": "novnc"})
    assert caught.value is failure


@pytest.mark.parametrize("body", [None, {}, {"type": "spice-html5"}, {"type": []}, "novnc"])
def test_another_type_is_a_400(world: World, server_id: str, body: object) -> None:
    with pytest.raises(Invalid, match="is novnc or xvpvnc"):
        world.ask(server_id, KEY, body)
