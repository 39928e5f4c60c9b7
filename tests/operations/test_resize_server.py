"""A server's new size on its host, in its claim and on its row, and each way back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from hanok.model.server import Server
from hanok.store.region_tables import claims
from hanok.store.region_tables import hosts as hosts_table
from tests.operations.volumes_made import a_server, events, refuses
from tests.operations.world import World


def resize(world: World, server_id: str) -> None:
    """Ask for the next larger flavor and wait."""
    world.act(server_id, "resize", {"flavorRef": world.flavor(local=False, number=1)})
    world.settle()


def size(server: Server) -> tuple[str, int, int]:
    return server.flavor_id, server.vcpus, server.ram_mib


def held(world: World) -> tuple[int, int]:
    """The CPUs and the memory that the host holds for the one server."""
    with world.store.read() as reader:
        [claim] = reader.rows(select(claims.c.vcpus, claims.c.ram_mib))
        used = reader.first(select(hosts_table.c.used_vcpus, hosts_table.c.used_ram_mib))
    assert used is not None
    assert tuple(used) == tuple(claim)
    return int(claim.vcpus), int(claim.ram_mib)


def on_host(world: World, server_id: str) -> tuple[int, int]:
    spec = world.domain(server_id)
    return spec.vcpus, spec.ram_mib


@pytest.fixture
def small(world: World) -> Server:
    return world.server(a_server(world))


def test_a_resized_server_has_its_new_size_everywhere(world: World, small: Server) -> None:
    resize(world, small.id)
    large = world.server(small.id)
    assert (large.vm_state, large.task_state, large.power_state) == ("resized", None, 1)
    assert large.flavor_id == world.flavor(local=False, number=1) != small.flavor_id
    assert on_host(world, small.id) == size(large)[1:] != size(small)[1:]
    assert held(world) == (max(small.vcpus, large.vcpus), max(small.ram_mib, large.ram_mib))
    assert large.resized is not None
    assert (large.resized["flavor_id"], large.resized["vm_state"]) == (small.flavor_id, "active")
    assert large.launched_at is not None
    assert small.launched_at is not None
    assert large.launched_at > small.launched_at


def test_a_confirmed_one_holds_no_more_than_it_needs(world: World, small: Server) -> None:
    resize(world, small.id)
    world.act(small.id, "confirmResize", status=204)
    world.settle()
    server = world.server(small.id)
    assert (server.vm_state, server.task_state) == ("active", None)
    assert held(world) == size(server)[1:]
    assert server.resized is not None
    assert "confirmed_at" in server.resized
    world.delete(small.id)
    world.settle()
    world.assert_nothing_is_left()


def test_a_reverted_one_is_as_it_was(world: World, small: Server) -> None:
    resize(world, small.id)
    world.act(small.id, "revertResize")
    world.settle()
    server = world.server(small.id)
    assert (server.vm_state, server.task_state, server.power_state) == ("active", None, 1)
    assert size(server) == size(small)
    assert on_host(world, small.id) == held(world) == size(small)[1:]
    assert server.resized is None


def test_a_stopped_server_stays_off_and_ends_stopped(world: World, small: Server) -> None:
    world.act(small.id, "os-stop")
    world.settle()
    resize(world, small.id)
    large = world.server(small.id)
    assert (large.vm_state, large.power_state, large.launched_at) == (
        "resized",
        4,
        small.launched_at,
    )
    world.act(small.id, "confirmResize", status=204)
    world.settle()
    assert world.server(small.id).vm_state == "stopped"


FAILING = {
    "compute.shut_down": "ask the guest to shut down",
    "compute.resize": "change the domain's size",
    "compute.start": "start the domain",
}


@pytest.mark.parametrize("verb", FAILING)
def test_a_failure_gives_the_server_back_at_its_old_size(
    world: World, small: Server, verb: str
) -> None:
    rule: dict[str, Any] = {**refuses(verb, "Not today.")[0], "nth": 1}
    with world.misbehaving(failures=[rule]):
        resize(world, small.id)
    server = world.server(small.id)
    assert (server.vm_state, server.task_state) == ("active", None)
    assert size(server) == size(small)
    assert on_host(world, small.id) == held(world) == size(small)[1:]
    assert world.drivers.compute.power_state(small.id) == 1
    assert server.fault is not None
    assert server.fault["message"] == f"Not today. Failed step: {FAILING[verb]}."
    assert events(world, small.id)[-1][0] == "not resized"


def test_a_host_without_room_refuses_before_the_guest_is_touched(
    world: World, small: Server
) -> None:
    with world.store.write() as tx:
        tx.run(update(hosts_table).values(ram_mib=small.ram_mib + 1))
    resize(world, small.id)
    server = world.server(small.id)
    assert (server.vm_state, size(server)) == ("active", size(small))
    assert server.fault is not None
    assert "No valid host was found." in server.fault["message"]
    assert b"Power down" not in world.drivers.compute.console_log(small.id, 1 << 16)
    assert held(world) == size(small)[1:]
