from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hanok.model.errors import NotFound
from hanok.model.security_group import SecurityGroup
from hanok.store import security_groups
from tests.operations.world import PROJECT, World, endpoint_of

WEB = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    one = World(database_url, tmp_path).open().start()
    with one.store.write() as tx:
        security_groups.add(tx, SecurityGroup(WEB, PROJECT, "web", "", 1, 1))
    yield one
    one.close()


def names(world: World, server_id: str) -> list[str]:
    endpoint = endpoint_of("GET", "/v2/{tenant}/servers/{server}")
    shown = endpoint.handler(world.call(server=server_id)).body["server"]
    return sorted(group["name"] for group in shown["security_groups"])


@pytest.mark.parametrize("by", ["web", WEB])
def test_a_group_is_added_to_and_removed_from_every_port(world: World, by: str) -> None:
    nic = {"subnet": world.subnet()}
    server_id = world.create(local=True, networks=[nic, nic])
    world.settle()
    assert names(world, server_id) == ["default"]
    world.act(server_id, "addSecurityGroup", {"name": by})
    world.act(server_id, "addSecurityGroup", {"name": by})
    assert names(world, server_id) == ["default", "web"]
    world.act(server_id, "removeSecurityGroup", {"name": by})
    assert names(world, server_id) == ["default"]
    with pytest.raises(NotFound, match=f"Security group {by} not associated with the instance"):
        world.act(server_id, "removeSecurityGroup", {"name": by})


def test_an_unknown_group_is_a_404_in_nova_s_words(world: World) -> None:
    server_id = world.create(local=True)
    world.settle()
    with pytest.raises(NotFound, match=f"Security group x not found for project {PROJECT}"):
        world.act(server_id, "addSecurityGroup", {"name": "x"})


def test_a_group_for_a_server_without_ports_is_a_404_as_nothing_would_be_done(world: World) -> None:
    server_id = world.create(local=True, networks="none")
    for _ in ("before it is made", "when it runs"):
        for action in ("addSecurityGroup", "removeSecurityGroup"):
            with pytest.raises(NotFound, match=server_id):
                world.act(server_id, action, {"name": "web"})
        world.settle()
