"""What creating a server decides; that each of its steps can fail is shown by the harness."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from hanok.engine.sealing import Sealer
from hanok.engine.steps import ControlStep, Wait, Work
from hanok.model.host import TRANSLATION_CACHE_MIB, Host
from hanok.model.server import VmState
from hanok.operations import create_server
from hanok.operations.intent import DiskIntent, NicIntent, ServerIntent
from hanok.placement.filters import NoValidHost
from hanok.store import hosts, images, journal, ports, quotas, servers
from hanok.store.region_metadata import metadata
from hanok.store.region_tables import hosts as hosts_table
from hanok.store.region_tables import images as images_table
from hanok.store.region_tables import networks as networks_table
from tests.operations.world import HOST, IMAGE, PROJECT, World

INTENT = ServerIntent(
    server_id="11111111-0000-4000-8000-000000000000",
    project_id=PROJECT,
    user_id="b" * 32,
    name="web",
    hostname="web",
    vcpus=1,
    ram_mib=1024,
    zone=None,
    image_id=IMAGE,
    disks=(
        DiskIntent("d-root", "volume", 10, "vda", boot_index=0, image_id=IMAGE),
        DiskIntent("d-own", "local", 5, "vdb"),
    ),
    nics=(NicIntent("p-1", "n", 0), NicIntent("p-2", "n", 1, existing=True)),
)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    one = World(database_url, tmp_path).open()
    yield one
    one.close()


def all_hosts(world: World) -> list[Host]:
    with world.store.read() as reader:
        return hosts.all_hosts(reader)


def resize_host(world: World, **values: Any) -> None:
    with world.store.write() as tx:
        tx.run(update(hosts_table).values(**values))


def a_free_port(world: World) -> str:
    """A port of the project's own."""
    port_id = "33333333-3333-4333-8333-333333333333"
    with world.store.write() as tx:
        network_id = tx.scalar(text("SELECT id FROM networks"))
        ports.allocate(
            tx, ports.Allocation(port_id, network_id, None, None, PROJECT, None, 0, ()), 1
        )
    return port_id


def test_the_list_read_aloud_tells_what_will_be_done() -> None:
    assert [planned.key for planned in create_server.plan(INTENT)] == [
        "place",
        "allocate:p-1",
        "allocate:p-2",
        "note:d-root",
        "note:d-own",
        "make:d-root",
        "make:d-own",
        "plug:p-1",
        "plug:p-2",
        "define",
        "start",
        "finish",
    ]


def test_it_is_alone_on_its_server_its_volumes_and_its_ports(world: World) -> None:
    server_id = world.create()
    operation = world.last_operation(server_id)
    kinds = Counter(subject.partition(":")[0] for subject in operation.subjects)
    assert kinds == {"server": 1, "volume": 1, "port": 1}
    assert operation.subjects[0] == f"server:{server_id}"
    local = world.last_operation(world.create(local=True))
    assert [subject.partition(":")[0] for subject in local.subjects] == ["server", "port"]
    world.start()
    world.settle()


def test_the_stored_intent_is_all_that_it_needs(world: World) -> None:
    """No step reads today's request: what was asked for may have changed meanwhile."""
    server_id = world.create()
    with world.store.write() as tx:
        tx.run(update(images_table).values(name="renamed", disk_format="qcow2", min_disk_gib=999))
        tx.run(text("DELETE FROM flavors"))
        tx.run(update(networks_table).values(name="renamed"))
    world.start()
    world.settle()
    assert world.server(server_id).vm_state == VmState.ACTIVE
    world.assert_exactly_one()


def test_the_zone_is_what_was_asked_for_or_one_of_the_host_s(world: World) -> None:
    world.start()
    asked = world.create(local=True, availability_zone="kr-pub-b")
    free = [world.create(local=True) for _ in range(6)]
    world.settle()
    assert world.server(asked).availability_zone == "kr-pub-b"
    assert {world.server(one).availability_zone for one in free} <= {"kr-pub-a", "kr-pub-b"}


@pytest.mark.parametrize(("accel", "more"), [("tcg", TRANSLATION_CACHE_MIB), ("kvm", 0)])
def test_the_claim_counts_what_the_domain_takes_beside_its_memory(
    world: World, accel: str, more: int
) -> None:
    resize_host(world, accel=accel)
    world.start()
    server = world.server(world.create())
    world.settle()
    [host] = all_hosts(world)
    assert (host.used_vcpus, host.used_disk_gib) == (server.vcpus, 10)
    assert host.used_ram_mib == server.ram_mib + more


def test_fault_26_fifty_servers_for_forty_nine_places(world: World) -> None:
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"instances": -1, "cores": -1, "ram_mib": -1})
    resize_host(world, vcpus=49)
    made = [world.create(local=True) for _ in range(50)]
    world.start()
    world.settle(60)
    shown = [world.server(one) for one in made]
    assert Counter(one.vm_state for one in shown) == {VmState.ACTIVE: 49, VmState.ERROR: 1}
    [failed] = [one for one in shown if one.vm_state == VmState.ERROR]
    assert failed.fault is not None
    assert "vCPUs dropped 1" in failed.fault["message"]
    assert "choose a flavor with fewer vCPUs" in failed.fault["message"]
    [host] = all_hosts(world)
    assert host.used_vcpus == host.vcpus == 49
    assert world.reality()["domains"] == world.rows()["claims"] == 49


def place(world: World, seen: list[Host]) -> Any:
    """Carry out the placement with a snapshot of our choosing."""
    server_id = world.create(local=True)
    operation = world.last_operation(server_id)
    step = create_server.KIND.step("place")
    assert isinstance(step, ControlStep)
    with world.store.write() as tx:
        work = Work(
            operation_id=operation.id,
            project_id=PROJECT,
            server_id=server_id,
            intent=operation.args,
            key="place",
            args={},
            results={},
            secrets={},
            tx=tx,
            now=10**18,
            sealer=Sealer(bytes(32), os.urandom),
            seen=seen,
        )
        return step.do(work)


def test_a_snapshot_that_has_grown_old_costs_a_further_look(world: World) -> None:
    seen = all_hosts(world)
    resize_host(world, vcpus=0)
    with pytest.raises(Wait) as caught:
        place(world, seen)
    assert caught.value.seconds < 1
    assert world.rows()["claims"] == 0


def test_the_next_host_is_tried_when_the_first_is_taken(world: World) -> None:
    [here] = all_hosts(world)
    gone = replace(here, id="44444444-4444-4444-8444-444444444444", ram_mib=2 * here.ram_mib)
    used = replace(here, used_vcpus=1)
    assert place(world, [gone, used])["host_id"] == HOST


def test_it_waits_for_hosts_that_join_and_not_for_others(world: World) -> None:
    [here] = all_hosts(world)
    joining, down = replace(here, state="joining"), replace(here, state="down")
    with pytest.raises(Wait):
        place(world, [joining, down])
    with pytest.raises(NoValidHost, match="up dropped 1"):
        place(world, [down])
    with pytest.raises(NoValidHost, match="no host yet"):
        place(world, [])
    assert place(world, [joining, here])["host_id"] == HOST


def test_fault_46_what_the_guest_is_told_in_secret_lies_sealed(world: World) -> None:
    word = "Xyzzy-plugh-17"
    server_id = world.create(adminPass=word, user_data="Zm9vYmFyYmF6cXV4")
    world.start()
    world.settle()
    with world.store.read() as reader:
        everything = repr(
            [tuple(row) for table in metadata.sorted_tables for row in reader.rows(select(table))]
        )
        operation = journal.of_server(reader, server_id)[-1]
        sealed = reader.scalar(text("SELECT sealed_guest FROM servers"))
    assert operation.secrets is None, "the journal's copy goes with the operation"
    assert sealed, "the server's own is needed to make its domain again"
    for secret in (word, "Zm9vYmFyYmF6cXV4", "foobarbazqux"):
        assert secret not in everything


@pytest.mark.parametrize("local", [True, False])
def test_an_image_that_goes_before_its_disk_is_noted_makes_none(world: World, local: bool) -> None:
    server_id = world.create(local=local)
    with world.store.write() as tx:
        assert images.set_status(tx, IMAGE, "pending_delete", 1)
    world.start().settle()
    server = world.server(server_id)
    assert (server.vm_state, server.host_id) == (VmState.ERROR, None)
    assert server.fault is not None
    missing = f"Image {IMAGE} could not be found. Failed step: note the disk."
    assert server.fault["message"] == missing
    assert world.reality() == {"domains": 0, "disks": 0, "ports": 0, "networks": 0}


def test_a_port_that_is_lent_comes_back_when_the_create_fails(world: World) -> None:
    port_id = a_free_port(world)
    rule = {"verb": "compute.define", "permanent": True, "message": "No."}
    (world.folder / "world").mkdir(exist_ok=True)
    (world.folder / "world" / "faults.json").write_text(json.dumps({"failures": [rule]}))
    world.start()
    server_id = world.create(local=True, networks=[{"port": port_id}])
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.task_state, server.host_id) == (VmState.ERROR, None, None)
    assert server.fault is not None
    assert server.fault["message"] == "No. Failed step: define the domain."
    assert server.fault["details"].startswith("define")
    with world.store.read() as reader:
        port = ports.get(reader, port_id)
        events = servers.events(reader, server_id)
    assert port is not None
    assert (port.server_id, port.device_id, port.host_id) == (None, "", None)
    assert [(event.name, event.detail) for event in events] == [
        ("create failed", {"message": server.fault["message"]})
    ]
    assert world.reality() == {"domains": 0, "disks": 0, "ports": 0, "networks": 0}
