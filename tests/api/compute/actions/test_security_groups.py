from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from hanok.model.errors import NotFound
from hanok.model.security_group import SecurityGroup
from hanok.store import networks, ports, security_groups
from hanok.store.region_tables import servers
from tests.operations.world import PROJECT, World, endpoint_of

WEB = "33333333-3333-4333-8333-333333333333"
LENT = "44444444-4444-4444-8444-444444444444"


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


def lent_port(world: World) -> str:
    """A port of the project's own in its default group."""
    with world.store.write() as tx:
        [network] = networks.visible(tx, PROJECT)
        group = security_groups.find(tx, PROJECT, "default")
        wanted = ports.Allocation(LENT, network.id, None, None, PROJECT, None, 0, (group.id,))
        return ports.allocate(tx, wanted, 1).id


def test_what_is_said_while_the_server_is_made_holds_for_the_ports_to_come(world: World) -> None:
    made: list[str] = []

    def reached(point: str) -> None:
        if "/allocate:" in point and point.endswith("/do/commit"):
            made.append(point)
            if len(made) == 1:
                with world.store.read() as reader:
                    [server] = reader.rows(select(servers.c.id))
                world.act(server.id, "addSecurityGroup", {"name": "web"})
                world.act(server.id, "removeSecurityGroup", {"name": "default"})

    world.failpoints.listen(reached)
    nic = {"subnet": world.subnet()}
    server_id = world.create(local=True, networks=[nic, {"port": lent_port(world)}, nic])
    world.settle()
    with world.store.read() as reader:
        having = ports.of_server(reader, server_id)
    assert [port.group_ids for port in having] == [(WEB,)] * len(made) == [(WEB,)] * 3
    zone = world.server(server_id).availability_zone
    assert zone
    assert {port.device_owner for port in having} == {f"compute:{zone}"}
