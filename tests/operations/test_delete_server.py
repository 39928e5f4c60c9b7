"""Deleting makes absent what the rows say is there; the harness shows that nothing stops it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from hanok.engine.steps import HostStep
from hanok.model.server import VmState
from hanok.operations import delete_server
from hanok.store import hosts, journal, ports, servers, volumes
from tests.operations.test_create_server import a_free_port
from tests.operations.world import HOST, World


def made(world: World, **more: Any) -> str:
    server_id = world.create(**more)
    world.settle()
    return server_id


def keys(world: World, server_id: str) -> list[str]:
    """The kinds of things that the last operation took away, in order."""
    with world.store.read() as reader:
        steps = journal.steps_of(reader, journal.of_server(reader, server_id)[-1].id)
    return [step.key.partition(":")[0] for step in steps]


def test_the_domain_goes_first_its_ports_and_disks_after_it_the_rows_last(world: World) -> None:
    server_id = made(world)
    world.delete(server_id)
    world.settle()
    assert keys(world, server_id) == ["gather", "domain", "unplug", "delete", "forget"]
    world.assert_nothing_is_left()


def test_what_was_lent_or_is_kept_outlives_the_server(world: World) -> None:
    port_id = a_free_port(world)
    device = {
        "source_type": "image",
        "uuid": "22222222-2222-4222-8222-222222222222",
        "boot_index": 0,
        "volume_size": 10,
        "destination_type": "volume",
    }
    server_id = made(world, networks=[{"port": port_id}], block_device_mapping_v2=[device])
    world.delete(server_id)
    world.settle()
    assert "delete" not in keys(world, server_id)
    with world.store.read() as reader:
        port = ports.get(reader, port_id)
        kept = volumes.page(reader, volumes.Listing(None, 10))
    assert port is not None
    assert (port.server_id, port.host_id, port.status) == (None, None, "DOWN")
    assert kept is not None
    assert [(volume.status, attached) for volume, attached in kept] == [("available", [])]
    assert world.reality() == {"domains": 0, "disks": 1, "ports": 0, "networks": 0}


def test_a_server_that_failed_has_only_its_row(world: World) -> None:
    with world.store.write() as tx:
        hosts.set_state(tx, HOST, "down", 1)
    server_id = made(world)
    assert world.server(server_id).vm_state == VmState.ERROR
    world.delete(server_id)
    world.settle()
    assert keys(world, server_id) == ["gather", "forget"]
    assert world.server(server_id).vm_state == VmState.DELETED


def test_the_row_stays_for_a_while_without_what_was_secret(world: World) -> None:
    server_id = made(world)
    world.delete(server_id)
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.task_state, server.power_state) == (VmState.DELETED, None, 0)
    assert (server.host_id, server.terminated_at) == (None, server.updated_at)
    with world.store.read() as reader:
        row = reader.first(text("SELECT intent, sealed_guest FROM servers"))
        events = [event.name for event in servers.events(reader, server_id)]
    assert row is not None
    assert tuple(row) == (None, None)
    assert events == ["created", "deleted"]


def test_a_second_delete_that_waited_finds_nothing_and_is_content(world: World) -> None:
    server_id = made(world)
    server = world.server(server_id)
    with world.store.write() as tx:
        for _ in range(2):
            delete_server.submit(tx, world.engine, server)
    world.settle()
    assert world.server(server_id).vm_state == VmState.DELETED
    world.assert_nothing_is_left()


def test_a_row_that_is_gone_is_nothing_to_delete(world: World) -> None:
    server = world.server(made(world, local=True))
    world.delete(server.id)
    world.settle()
    with world.store.write() as tx:
        servers.purge(tx, 2**62)
        delete_server.submit(tx, world.engine, server)
    world.settle()
    assert world.last_operation(server.id).state == "done"


def test_no_step_gives_up_before_the_operation_s_own_deadline() -> None:
    for step in delete_server.KIND.steps:
        assert step.undo is None, "what is gone cannot come back"
        waits = sum(step.retry.pause(attempt) for attempt in range(1, step.retry.times))
        assert waits > delete_server.KIND.deadline
        if isinstance(step, HostStep):
            assert step.timeout <= 60
