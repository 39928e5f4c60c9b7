from __future__ import annotations

import pytest

from hanok.engine.steps import HostStep
from hanok.model.errors import Conflict, HostError
from hanok.model.power import PowerState
from hanok.model.server import VmState
from hanok.operations import unrescue_server
from tests.operations.cases import large_request
from tests.operations.world import World


def rescued(world: World) -> str:
    server_id = world.create(**large_request(world))
    world.settle()
    world.act(server_id, "rescue", status=200)
    world.settle()
    return server_id


def test_the_server_s_own_domain_is_back(world: World) -> None:
    server_id = world.create(**large_request(world))
    world.settle()
    before = world.domain(server_id)
    world.act(server_id, "rescue", status=200)
    world.settle()
    assert world.domain(server_id) != before
    world.act(server_id, "unrescue")
    world.settle()
    assert world.domain(server_id) == before
    server = world.server(server_id)
    assert (server.vm_state, server.power_state, server.rescued) == ("active", 1, None)
    assert world.reality()["disks"] == 2
    assert world.rows()["local_disks"] == 0


def test_a_size_that_it_was_given_meanwhile_is_kept(world: World) -> None:
    """The domain comes from the rows of now, not from what create once asked for."""
    server_id = world.create()
    world.settle()
    world.act(server_id, "resize", {"flavorRef": world.flavor(local=False, number=1)})
    world.settle()
    with world.store.write() as tx:
        from hanok.store import servers

        servers.change(tx, server_id, world.clock.now(), {"vm_state": VmState.ACTIVE})
    size = world.domain(server_id).ram_mib
    for name, status in (("rescue", 200), ("unrescue", 202)):
        world.act(server_id, name, status=status)
        world.settle()
        assert world.domain(server_id).ram_mib == size


def test_only_a_rescued_server_can_be_brought_back(world: World) -> None:
    server_id = world.create()
    world.settle()
    with pytest.raises(Conflict, match=r"Cannot 'unrescue' instance .* in vm_state active"):
        world.act(server_id, "unrescue")


def test_one_that_failed_is_rescued_still_and_can_be_asked_again(world: World) -> None:
    server_id = rescued(world)

    def fail(point: str) -> None:
        if point == "unrescue_server/define/do/start":
            raise HostError("told to fail", permanent=True)

    world.failpoints.listen(fail)
    world.act(server_id, "unrescue")
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.task_state) == (VmState.RESCUED, None)
    assert server.fault is not None
    assert server.fault["message"] == "told to fail. Failed step: define the domain."
    world.failpoints.listen(lambda _point: None)
    world.act(server_id, "unrescue")
    world.settle()
    assert world.server(server_id).vm_state == VmState.ACTIVE
    assert world.server(server_id).fault is None
    assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
    assert world.rows()["local_disks"] == 0


def test_a_rescue_disk_that_stays_does_not_keep_the_server(world: World) -> None:
    server_id = rescued(world)

    def fail(point: str) -> None:
        if point.startswith("unrescue_server/drop:"):
            raise HostError("told to fail", permanent=True)

    world.failpoints.listen(fail)
    world.act(server_id, "unrescue")
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.task_state, server.fault) == ("active", None, None)
    assert world.rows()["local_disks"] == 1, "what is there is not forgotten"
    world.failpoints.listen(lambda _point: None)
    world.delete(server_id)
    world.settle()
    world.assert_nothing_is_left()


def test_nothing_of_it_is_undone() -> None:
    """Each step goes towards what the rows say; an undo would lead away from it."""
    assert all(step.undo is None for step in unrescue_server.KIND.steps)
    assert any(isinstance(step, HostStep) for step in unrescue_server.KIND.steps)
