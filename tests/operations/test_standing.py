"""What the rows say that a server is: the domain that was made, with what changed since."""

from __future__ import annotations

from typing import Any

import pytest

from hanok.engine.steps import Planned, View, Work
from hanok.model.devices import RESCUE
from hanok.model.errors import Conflict
from hanok.operations import standing
from hanok.store import servers
from tests.operations.cases import large_request
from tests.operations.world import HOST, IMAGE, World


def work(world: World, server_id: str, tx: Any, **secrets: Any) -> Work:
    return Work(
        operation_id="op",
        project_id="p",
        server_id=server_id,
        intent={"host_id": HOST},
        key="gather",
        args={},
        results={},
        secrets=secrets,
        tx=tx,
        now=world.clock.now(),
        sealer=world.engine._sealer,
    )


def plan(found: standing.Standing) -> list[Planned]:
    return [*standing.looks(found), *standing.drops(found)]


def looked(world: World, server_id: str) -> tuple[View, list[Planned]]:
    """Do what the steps do, with the host's own answers."""
    with world.store.write() as tx:
        extended = standing.gather(work(world, server_id, tx), plan)
        view = work(world, server_id, tx, **extended.secrets)
    results: dict[str, Any] = {"gather": extended.result}
    for planned in extended.plan:
        if planned.name == standing.DROP.name:
            continue
        step = standing.LOOK if planned.name == "look" else standing.PLUG
        at = View("op", "p", server_id, view.intent, planned.key, {}, dict(results), view.secrets)
        call = step.call(at)
        assert call is not None
        results[planned.key] = world.hosts.perform(call.host_id, call.verb, call.args, 10)
    seen = View("op", "p", server_id, view.intent, "define", {}, results, view.secrets)
    return seen, list(extended.plan)


@pytest.mark.parametrize("local", [False, True])
def test_a_server_that_nobody_changed_stands_as_it_was_made(world: World, local: bool) -> None:
    server_id = world.create(local=local, **({} if local else large_request(world)))
    world.settle()
    view, planned = looked(world, server_id)
    assert standing.spec(view) == world.domain(server_id)
    assert [one.name for one in planned] == (["look"] if local else ["look"] * 2) + (
        ["plug"] if local else ["plug"] * 2
    )


def test_its_name_its_metadata_and_its_size_are_those_of_now(world: World) -> None:
    server_id = world.create()
    world.settle()
    values = {"name": "other", "metadata": {"a": "b"}, "vcpus": 3, "ram_mib": 777}
    with world.store.write() as tx:
        servers.change(tx, server_id, world.clock.now(), values)
    view, _ = looked(world, server_id)
    spec = standing.spec(view)
    assert (spec.name, spec.vcpus, spec.ram_mib) == ("other", 3, 777)
    assert spec.guest.metadata == {"a": "b"}
    assert spec.guest.hostname == "web", "a guest keeps its host name, as Nova has it"


def test_a_disk_that_stands_in_is_none_of_its_own(world: World) -> None:
    server_id = world.create()
    world.settle()
    disk = {"id": "left", "server_id": server_id, "host_id": HOST, "size_gib": 1}
    with world.store.write() as tx:
        servers.add_local_disk(tx, {**disk, "device": RESCUE, "image_id": IMAGE})
    view, planned = looked(world, server_id)
    assert planned[-1] == Planned("drop", "drop:left")
    assert standing.of(view).stand_ins == ("left",)
    assert len(standing.spec(view).disks) == 1
    with world.store.write() as tx:
        at = work(world, server_id, tx)
        object.__setattr__(at, "results", view.results)
        standing.forget_stand_ins(at)
    assert world.rows()["local_disks"] == 0


def test_what_the_request_brings_wins_over_what_the_row_keeps(world: World) -> None:
    server_id = world.create()
    world.settle()
    with world.store.write() as tx:
        extended = standing.gather(work(world, server_id, tx, admin_pass="mine"), plan)
    assert extended.secrets["admin_pass"] == "mine"
    assert extended.secrets["user_data"] == "IyEvYmluL3NoCg=="
    assert "mine" not in str(extended.result)


def test_a_server_without_a_host_does_not_stand(world: World) -> None:
    server_id = world.create()
    world.settle()
    world.delete(server_id)
    world.settle()
    with world.store.write() as tx, pytest.raises(Conflict, match="on no host"):
        standing.gather(work(world, server_id, tx), plan)
