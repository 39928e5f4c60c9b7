from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hanok.model.power import PowerState
from hanok.model.server import Server, VmState
from hanok.operations import place
from hanok.reconcile.watch import Seen, Watch, verdict
from hanok.store import hosts, journal, servers
from tests.operations.world import HOST, PROJECT, World

SERVER = Server(
    id="s",
    project_id="p",
    user_id="u",
    name="web",
    flavor_id="f",
    image_id="i",
    key_name=None,
    host_id="h",
    availability_zone="a",
    vm_state=VmState.ACTIVE,
    task_state=None,
    power_state=1,
    generation=3,
    vcpus=1,
    ram_mib=1,
    root_gib=1,
    ephemeral_gib=0,
    config_drive="",
    metadata={},
    image_metadata={},
    reservation_id="r",
    fault=None,
    resized=None,
    shelved=None,
    rescued=None,
    locked_by=None,
    created_at=1,
    updated_at=1,
    launched_at=1,
    terminated_at=None,
)
PAUSED = replace(SERVER, vm_state=VmState.PAUSED, power_state=3)
STOPPED = replace(SERVER, vm_state=VmState.STOPPED, power_state=4)


@pytest.mark.parametrize(
    ("server", "power", "changes"),
    [
        (SERVER, PowerState.RUNNING, None),
        (SERVER, PowerState.SHUTDOWN, {"power_state": 4, "vm_state": VmState.STOPPED}),
        (SERVER, PowerState.CRASHED, {"power_state": 6, "vm_state": VmState.STOPPED}),
        # A paused guest that went off has nothing left to go on with (Nova stops it, too).
        (PAUSED, PowerState.SHUTDOWN, {"power_state": 4, "vm_state": VmState.STOPPED}),
        (PAUSED, PowerState.PAUSED, None),
        (STOPPED, PowerState.SHUTDOWN, None),
        (STOPPED, PowerState.RUNNING, {"power_state": 1, "vm_state": VmState.ACTIVE}),
        (replace(SERVER, vm_state=VmState.BUILDING), PowerState.SHUTDOWN, None),
        (replace(SERVER, vm_state=VmState.ERROR), None, None),
        (replace(SERVER, vm_state=VmState.RESCUED), PowerState.RUNNING, None),
        # Only `unrescue` ends a rescue: the server's own system is not what went off.
        (replace(SERVER, vm_state=VmState.RESCUED), PowerState.SHUTDOWN, {"power_state": 4}),
        (replace(SERVER, vm_state=VmState.SHELVED_OFFLOADED), None, None),
    ],
)
def test_verdict(server: Server, power: PowerState | None, changes: dict[str, Any] | None) -> None:
    assert verdict(server, Seen(power, 7)) == changes


def test_fault_20_a_domain_that_is_gone_is_an_error_with_a_reason() -> None:
    changes = verdict(SERVER, Seen(None, 7))
    assert changes is not None
    assert changes["vm_state"] == VmState.ERROR
    assert "no longer on its host" in changes["fault"]["message"]
    assert changes["fault"]["created_at"] == 7


class OneHost:
    """A host whose domain is still off when it is asked, and is started while it answers."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile

    def hosts(self) -> list[str]:
        return [HOST]

    def query(self, _host: str, _verb: str, _args: Mapping[str, Any], _deadline: float) -> Any:
        answer = [{"server_id": SERVER.id, "power_state": 4}]
        self._meanwhile()
        return answer


def test_fault_23_what_an_operation_does_while_we_look_is_not_overruled(
    database_url: str, tmp_path: Path
) -> None:
    world = World(database_url, tmp_path).open()
    building = replace(SERVER, vm_state=VmState.BUILDING, host_id=HOST, power_state=0)

    def becomes_active() -> None:
        with world.store.write() as tx:
            values = {"vm_state": VmState.ACTIVE, "power_state": 1}
            servers.change(tx, SERVER.id, 2, values)

    with world.store.write() as tx:
        servers.add(tx, building)
    Watch(world.store, OneHost(becomes_active), world.clock, keep_days=7).look()
    seen = world.server(SERVER.id)
    world.close()
    assert (seen.vm_state, seen.power_state) == (VmState.ACTIVE, 1)


def test_fault_18_a_domain_that_went_off_by_itself_is_noted(
    database_url: str, tmp_path: Path
) -> None:
    world = World(database_url, tmp_path).open()
    with world.store.write() as tx:
        servers.add(tx, replace(SERVER, host_id=HOST))
    Watch(world.store, OneHost(lambda: None), world.clock, keep_days=7).look()
    seen = world.server(SERVER.id)
    with world.store.read() as reader:
        [event] = servers.events(reader, SERVER.id)
    world.close()
    assert (seen.vm_state, seen.power_state) == (VmState.STOPPED, 4)
    assert event.name == "observed"


def test_fault_24_a_look_that_goes_unanswered_shows_at_once_and_fails_no_create(
    database_url: str, tmp_path: Path
) -> None:
    world = World(database_url, tmp_path).open().start()
    running = world.create()
    world.settle()
    watch = Watch(world.store, world.hosts, world.clock, keep_days=7)
    failure = {"verb": "compute.list_domains", "message": "The host is away."}
    with world.misbehaving(failures=[failure]), capture_logs() as logs:
        assert not watch.look()
        assert not watch.look()
        assert shown(world, running) == "UNKNOWN"
        asked_for = world.create()
    assert [line["event"] for line in logs] == ["host does not answer"], "said once"
    assert watch.look()
    world.settle()
    assert [shown(world, one) for one in (running, asked_for)] == ["ACTIVE", "ACTIVE"]
    world.close()


def test_a_host_that_does_not_come_back_fails_a_create_with_the_reason(
    database_url: str, tmp_path: Path
) -> None:
    world = World(database_url, tmp_path).open().start()
    with world.store.write() as tx:
        hosts.set_state(tx, HOST, "down", world.clock.now())
    asked_for = world.create()
    world.settle()
    fault = world.server(asked_for).fault
    silent = world.last_operation(asked_for)
    world.close()
    assert (silent.ended_at or 0) - silent.submitted_at >= 0.9 * place.SILENCE
    assert fault is not None
    assert "up dropped 1" in fault["message"]
    assert "wait until a host answers again" in fault["message"]


def shown(world: World, server_id: str) -> str:
    with world.store.read() as reader:
        found = servers.detail(reader, PROJECT, server_id)
    assert found is not None
    return found.status


def test_of_a_server_deleted_long_ago_neither_row_nor_journal_is_left(
    database_url: str, tmp_path: Path
) -> None:
    world = World(database_url, tmp_path).open().start()
    stays, goes = world.create(), world.create()
    world.settle()
    world.delete(goes)
    world.settle()
    for _ in range(2):
        Watch(world.store, world.hosts, world.clock, keep_days=0).look()
    with world.store.read() as reader:
        left = {one: len(journal.of_server(reader, one)) for one in (stays, goes)}
        found = servers.find(reader, goes)
    world.close()
    assert (found, left) == (None, {stays: 1, goes: 0})
