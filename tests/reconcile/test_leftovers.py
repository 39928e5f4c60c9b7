"""What appears on a host after its rows were gone is removed; nothing else ever is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hanok.drivers.base import DiskSpec, DomainSpec
from hanok.drivers.simulated import host as simulated
from hanok.model.errors import HostError, HostUnreachable
from hanok.model.server import VmState
from hanok.operations import delete_server, delete_volume
from hanok.operations.delete_server import Leftovers
from hanok.reconcile.leftovers import AGAIN_AFTER, EVERY, LeftoverRemoval
from hanok.store import journal, leftovers, servers
from hanok.store.database import Reader
from tests.drivers.scene import domain_of, network_of, new_id, port_on
from tests.operations.test_create_server import a_free_port
from tests.operations.world import HOST, IMAGE, PROJECT, World

NOTHING = {"domains": 0, "disks": 0, "ports": 0, "networks": 0}


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    one = World(database_url, tmp_path).open().start()
    yield one
    one.close()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = 10**15

    def now(self) -> int:
        return self.moment

    def new_id(self) -> str:
        raise AssertionError("a look makes nothing")

    def random_bytes(self, count: int) -> bytes:
        raise AssertionError(f"a look needs no chance, not {count} bytes")


class Asked:
    """A world's hosts that answer some verbs with an error; `verbs` are those asked."""

    def __init__(self, world: World, errors: Mapping[str, HostError]) -> None:
        self._world = world
        self._errors = errors
        self.verbs: list[str] = []

    def hosts(self) -> list[str]:
        return [HOST]

    def query(self, host_id: str, verb: str, args: Mapping[str, Any], deadline: float) -> Any:
        self.verbs.append(verb)
        if verb in self._errors:
            raise self._errors[verb]
        return self._world.hosts.query(host_id, verb, args, deadline)


def removal(world: World, clock: Clock | None = None) -> LeftoverRemoval:
    return LeftoverRemoval(world.store, world.hosts, world.engine, clock or world.clock)


def look(world: World, looks: int = 2, by: LeftoverRemoval | None = None) -> list[dict[str, Any]]:
    """Look so often, let what was asked for happen, and return what was warned of."""
    by = by or removal(world)
    with capture_logs() as logs:
        for _ in range(looks):
            by.look()
        world.settle()
    return [dict(line) for line in logs if line["log_level"] == "warning"]


def operations(world: World, server_id: str) -> int:
    with world.store.read() as reader:
        return len(journal.of_server(reader, server_id))


def events(world: World, server_id: str) -> dict[str, Any]:
    with world.store.read() as reader:
        return {event.name: event.detail for event in servers.events(reader, server_id)}


def deleted(world: World, *, local: bool = False) -> DomainSpec:
    """A server that is deleted; return what its domain was."""
    server_id = world.create(local=local)
    world.settle()
    spec = world.domain(server_id)
    world.delete(server_id)
    world.settle()
    world.assert_nothing_is_left()
    return spec


def make_disk(world: World, disk_id: str) -> None:
    world.drivers.storage.create_disk(DiskSpec(disk_id, 10))


def plug(world: World, port_id: str) -> None:
    network = network_of()
    world.drivers.network.plug(replace(port_on(network), port_id=port_id), network)


@pytest.mark.parametrize("local", [False, True])
def test_all_that_a_deleted_server_left_goes_in_one_operation(world: World, local: bool) -> None:
    spec = deleted(world, local=local)
    before, operations_before = world.server(spec.server_id), operations(world, spec.server_id)
    make_disk(world, spec.disks[0].disk.disk_id)
    plug(world, spec.ports[0].port_id)
    world.drivers.compute.define(spec)
    assert world.reality() == {"domains": 1, "disks": 1, "ports": 1, "networks": 1}
    warned = look(world)
    assert world.reality() == NOTHING
    assert {line["kind"]: line["server"] for line in warned} == dict.fromkeys(
        ("domain", "port", "disk"), spec.server_id
    )
    assert world.server(spec.server_id) == before, "the row stays as it is"
    assert operations(world, spec.server_id) == operations_before + 1
    assert world.last_operation(spec.server_id).kind == delete_server.KIND.kind
    assert events(world, spec.server_id)["leftovers found"] == {
        spec.server_id: "domain",
        spec.ports[0].port_id: "port",
        spec.disks[0].disk.disk_id: "disk",
    }


@pytest.mark.parametrize("kind", ["port", "disk"])
def test_a_tap_or_a_disk_alone_is_known_by_the_journal(world: World, kind: str) -> None:
    spec = deleted(world)
    if kind == "port":
        plug(world, spec.ports[0].port_id)
    else:
        make_disk(world, spec.disks[0].disk.disk_id)
    [line] = look(world)
    assert (line["kind"], line["server"]) == (kind, spec.server_id)
    assert world.reality() == NOTHING


def test_the_disk_of_a_deleted_volume_goes_too(world: World) -> None:
    answer = world.block_storage("POST", "volumes", {"volume": {"size": 1}})
    volume_id = answer.body["volume"]["id"]
    world.settle()
    world.block_storage("DELETE", "volumes/{volume}", volume=volume_id)
    world.settle()
    world.assert_nothing_is_left()
    make_disk(world, volume_id)
    [line] = look(world)
    assert (line["kind"], line["id"]) == ("disk", volume_id)
    assert world.reality() == NOTHING
    assert world.last_of("delete_volume").state == "done"


def test_what_an_undo_could_not_remove_goes_with_its_server(world: World) -> None:
    """The operation is stuck, the server on no host: its delete finds nothing to remove."""
    rules = [
        {"verb": "compute.start", "permanent": True, "message": "No."},
        {"verb": "compute.delete", "permanent": True, "message": "The domain is stuck."},
    ]
    with world.misbehaving(failures=rules):
        server_id = world.create()
        world.settle()
    assert world.last_operation(server_id).state == "stuck"
    world.delete(server_id)
    world.settle()
    assert world.reality()["domains"] == 1
    look(world)
    world.assert_nothing_is_left()


def test_one_look_removes_nothing(world: World) -> None:
    """What a look saw may have been on its way out, and its row just gone."""
    spec = deleted(world)
    world.drivers.compute.define(spec)
    assert look(world, looks=1) == []
    assert world.reality()["domains"] == 1


def test_what_was_removed_and_comes_again_is_removed_again(world: World) -> None:
    spec, clock = deleted(world), Clock()
    by = removal(world, clock)
    for _ in range(2):
        world.drivers.compute.define(spec)
        look(world, by=by)
        assert world.reality() == NOTHING
        look(world, looks=1, by=by)


def test_what_cannot_be_removed_is_tried_again_later_and_the_row_stays(world: World) -> None:
    spec, clock = deleted(world), Clock()
    before, by = world.server(spec.server_id), removal(world, clock)
    world.drivers.compute.define(spec)
    rule = {"verb": "compute.delete", "permanent": True, "message": "The domain is stuck."}
    with world.misbehaving(failures=[rule]):
        assert [line for line in look(world, by=by) if line.get("kind") == "domain"]
        assert world.last_operation(spec.server_id).state == "undone"
        asked = operations(world, spec.server_id)
        look(world, by=by)
        assert operations(world, spec.server_id) == asked, "not at every look"
    assert world.server(spec.server_id) == before
    clock.moment += AGAIN_AFTER
    look(world, looks=1, by=by)
    assert world.reality() == NOTHING
    assert world.server(spec.server_id) == before


# -- never ---------------------------------------------------------------------------------------


def of_nobody(world: World) -> None:
    """A domain, a disk and a tap of ours that this store knows nothing of."""
    world.drivers.compute.define(domain_of())
    make_disk(world, new_id())
    plug(world, new_id())


def of_a_purged_server(world: World) -> None:
    spec = deleted(world)
    with world.store.write() as tx:
        assert servers.purge(tx, 2**62) == 1
    world.drivers.compute.define(spec)
    make_disk(world, spec.disks[0].disk.disk_id)
    plug(world, spec.ports[0].port_id)


@pytest.mark.parametrize("unknown", [of_nobody, of_a_purged_server])
def test_fault_67_what_no_row_knows_stays_and_is_named_once(
    world: World, unknown: Callable[[World], None]
) -> None:
    unknown(world)
    there, by = world.reality(), removal(world)
    warned = look(world, by=by)
    assert sorted(line["kind"] for line in warned) == ["disk", "domain", "port"]
    assert all("no row" in line["event"] for line in warned)
    assert look(world, by=by) == []
    assert world.reality() == there


def test_what_is_gone_is_forgotten_and_what_a_host_does_not_tell_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def makers(reader: Reader, keys: Collection[str]) -> dict[str, leftovers.Maker]:
        asked.extend(sorted(keys))
        return find_makers(reader, keys)

    find_makers = leftovers.makers
    monkeypatch.setattr(leftovers, "makers", makers)
    spec, stranger = deleted(world), new_id()
    errors: dict[str, HostError] = {}
    by = LeftoverRemoval(world.store, Asked(world, errors), world.engine, world.clock)
    make_disk(world, spec.disks[0].disk.disk_id)
    make_disk(world, stranger)
    assert {line["id"] for line in look(world, by=by)} == {spec.disks[0].disk.disk_id, stranger}
    # While the host does not tell, what was named is not taken for gone, and not named again.
    errors["compute.list_domains"] = HostUnreachable("No answer.")
    assert look(world, looks=1, by=by) == []
    errors.clear()
    assert look(world, by=by) == []
    world.drivers.storage.delete_disk(stranger)
    assert look(world, looks=1, by=by) == []
    asked.clear()
    make_disk(world, stranger)
    assert [line["id"] for line in look(world, by=by)] == [stranger]
    assert asked == [f"made:{stranger}", f"make:{stranger}"]


def test_a_server_that_lives_keeps_everything(world: World) -> None:
    rule = {"verb": "compute.start", "permanent": True, "message": "No."}
    running = world.create()
    world.settle()
    with world.misbehaving(failures=[rule]):
        failed = world.create()
        world.settle()
    assert world.server(failed).vm_state == VmState.ERROR
    with world.store.read() as reader:
        [made] = journal.of_server(reader, failed)
        steps = journal.steps_of(reader, made.id)
    # Its rows are gone, as the create was unwound; then everything appears after all.
    disk_id, port_id = (
        next(step.key.partition(":")[2] for step in steps if step.key.startswith(key))
        for key in ("make:", "plug:")
    )
    make_disk(world, disk_id)
    plug(world, port_id)
    world.drivers.compute.define(replace(domain_of(), server_id=failed))
    there, by = world.reality(), removal(world)
    assert look(world, looks=3, by=by) == []
    assert world.reality() == there == {"domains": 2, "disks": 2, "ports": 2, "networks": 2}

    world.delete(failed)
    world.settle()
    for _ in range(2):
        look(world, by=by)
    world.assert_exactly_one()
    assert world.server(running).vm_state == VmState.ACTIVE


def test_what_was_lent_or_is_kept_stays_where_it_is(world: World) -> None:
    port_id = a_free_port(world)
    disk = {
        "source_type": "image",
        "uuid": IMAGE,
        "boot_index": 0,
        "volume_size": 10,
        "destination_type": "volume",
    }
    server_id = world.create(networks=[{"port": port_id}], block_device_mapping_v2=[disk])
    world.settle()
    spec = world.domain(server_id)
    world.delete(server_id)
    world.settle()
    plug(world, port_id)
    world.drivers.compute.define(spec)
    assert [line["kind"] for line in look(world)] == ["domain"]
    assert look(world) == []
    assert world.reality() == {"domains": 0, "disks": 1, "ports": 1, "networks": 1}


def test_fault_23_nothing_is_asked_while_an_operation_works_on_the_server(world: World) -> None:
    spec = deleted(world)
    world.drivers.compute.define(spec)
    server = world.server(spec.server_id)
    world.engine.stop()
    left = Leftovers(HOST, domain=True, port_ids=(), disk_ids=())
    with world.store.write() as tx:
        delete_server.submit_leftovers(tx, world.engine, server, left)
    asked = operations(world, server.id)
    by = removal(world)
    for _ in range(3):
        by.look()
    assert operations(world, server.id) == asked
    assert world.reality()["domains"] == 1


def test_fault_23_nothing_is_asked_while_an_operation_works_on_the_volume(world: World) -> None:
    answer = world.block_storage("POST", "volumes", {"volume": {"size": 1}})
    volume_id = answer.body["volume"]["id"]
    world.settle()
    world.block_storage("DELETE", "volumes/{volume}", volume=volume_id)
    world.settle()
    make_disk(world, volume_id)
    world.engine.stop()
    with world.store.write() as tx:
        delete_volume.submit_leftover(tx, world.engine, PROJECT, volume_id, HOST)
    by = removal(world)
    for _ in range(3):
        by.look()
    with world.store.read() as reader:
        assert journal.unfinished(reader, f"volume:{volume_id}") == 1
    assert world.reality()["disks"] == 1


def test_another_deployment_s_domain_is_not_seen(world: World) -> None:
    spec = deleted(world)
    other = simulated.open_host("other", world.folder / "world")
    other.compute.define(spec)
    assert look(world, looks=3) == []
    assert [one.server_id for one in other.compute.list_domains()] == [spec.server_id]
    other.compute.close()


# -- hosts and time ------------------------------------------------------------------------------


def test_a_host_that_does_not_answer_is_asked_no_more_in_this_look(world: World) -> None:
    hosts = Asked(world, {"compute.list_domains": HostUnreachable("No answer.")})
    LeftoverRemoval(world.store, hosts, world.engine, world.clock).look()
    assert hosts.verbs == ["compute.list_domains"]


def test_a_list_that_fails_hides_no_other(world: World) -> None:
    spec = deleted(world)
    make_disk(world, spec.disks[0].disk.disk_id)
    world.drivers.compute.define(spec)
    hosts = Asked(world, {"storage.list_disks": HostError("A disk is damaged.", permanent=True)})
    look(world, by=LeftoverRemoval(world.store, hosts, world.engine, world.clock))
    assert world.reality() == {**NOTHING, "disks": 1}


def test_a_look_comes_when_it_is_due(world: World) -> None:
    clock, hosts = Clock(), Asked(world, {})
    by = LeftoverRemoval(world.store, hosts, world.engine, clock)
    assert by.run() == clock.moment + EVERY
    assert by.run() == clock.moment + EVERY
    assert len(hosts.verbs) == 3
    clock.moment += EVERY
    assert by.run() == clock.moment + EVERY
    assert len(hosts.verbs) == 6
