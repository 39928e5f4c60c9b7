"""What is done to a simulated domain: legal or refused, the same when done twice, written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hanok.drivers.base import ComputeDriver, Disk, DomainDisk, DomainSpec, Drivers
from hanok.drivers.simulated.actions import OFF, off
from hanok.drivers.simulated.config import SimulatedConfig
from hanok.drivers.simulated.host import open_host
from hanok.drivers.simulated.records import DomainRecord, WorldFiles
from hanok.drivers.simulated.world import World
from hanok.model.errors import HostError
from hanok.model.power import PowerState
from tests.drivers.scene import Scene, domain_of, new_id

RUNNING, PAUSED = PowerState.RUNNING, PowerState.PAUSED
SHUTDOWN, SUSPENDED = PowerState.SHUTDOWN, PowerState.SUSPENDED


def host(tmp_path: Path, **config: object) -> Drivers:
    return open_host("here", tmp_path / "world", SimulatedConfig.from_dict(config))


@pytest.fixture
def drivers(tmp_path: Path) -> Drivers:
    return host(tmp_path)


@pytest.fixture
def scene(drivers: Drivers) -> Scene:
    return Scene(drivers)


def record_of(tmp_path: Path, spec: DomainSpec) -> DomainRecord:
    found = WorldFiles(tmp_path / "world").domains.get(spec.server_id)
    assert found is not None
    return found


def bring(compute: ComputeDriver, spec: DomainSpec, state: PowerState) -> None:
    """Bring a new domain into a state."""
    if state != SHUTDOWN:
        compute.start(spec.server_id)
    if state == PAUSED:
        compute.pause(spec.server_id)
    if state == SUSPENDED:
        compute.suspend(spec.server_id)
    assert compute.power_state(spec.server_id) == state


TURNS: list[tuple[str, PowerState, PowerState | None]] = [
    ("pause", RUNNING, PAUSED),
    ("pause", PAUSED, PAUSED),
    ("pause", SHUTDOWN, None),
    ("pause", SUSPENDED, None),
    ("unpause", PAUSED, RUNNING),
    ("unpause", RUNNING, RUNNING),
    ("unpause", SHUTDOWN, None),
    ("unpause", SUSPENDED, None),
    ("suspend", RUNNING, SUSPENDED),
    ("suspend", SUSPENDED, SUSPENDED),
    ("suspend", PAUSED, None),
    ("suspend", SHUTDOWN, None),
]


@pytest.mark.parametrize(("verb", "before", "after"), TURNS)
def test_turns(
    drivers: Drivers, scene: Scene, verb: str, before: PowerState, after: PowerState | None
) -> None:
    """`after` None: refused for good, and nothing has changed."""
    spec, compute = scene.define(), drivers.compute
    bring(compute, spec, before)
    turn: Callable[[str], None] = getattr(compute, verb)
    if after is None:
        with pytest.raises(HostError, match="not in the state") as refused:
            turn(spec.server_id)
        assert refused.value.permanent
        assert before.name in refused.value.detail
        after = before
    else:
        turn(spec.server_id)
    assert compute.power_state(spec.server_id) == after


def test_a_guest_that_is_held_still_does_not_go_on_shutting_down(tmp_path: Path) -> None:
    drivers = host(tmp_path, shutdown_s=[60, 60])
    spec = Scene(drivers).define()
    drivers.compute.start(spec.server_id)
    drivers.compute.shut_down(spec.server_id)
    drivers.compute.pause(spec.server_id)
    record = record_of(tmp_path, spec)
    assert record.power_state_at(1e12) == PAUSED


def test_a_shutdown_that_has_ended_meanwhile_is_seen_first(tmp_path: Path) -> None:
    drivers = host(tmp_path)
    spec = Scene(drivers).define()
    drivers.compute.start(spec.server_id)
    files = WorldFiles(tmp_path / "world")
    record = record_of(tmp_path, spec)
    with files.locked():
        files.put_domain(replace(record, asked_at=0.0, off_at=0.0))
    with pytest.raises(HostError, match="not in the state"):
        drivers.compute.pause(spec.server_id)
    settled = record_of(tmp_path, spec)
    assert (settled.power_state, settled.off_at) == (SHUTDOWN, None)
    assert b"Power down" in drivers.compute.console_log(spec.server_id, 200)


def test_a_domain_has_its_new_size_only_when_it_is_off(
    drivers: Drivers, scene: Scene, tmp_path: Path
) -> None:
    spec, compute = scene.define(), drivers.compute
    for _ in range(2):
        compute.resize(spec.server_id, 4, 256)
    assert record_of(tmp_path, spec).spec == replace(spec, vcpus=4, ram_mib=256)
    compute.start(spec.server_id)
    compute.resize(spec.server_id, 4, 256)
    with pytest.raises(HostError, match="while it runs") as refused:
        compute.resize(spec.server_id, 8, 256)
    assert refused.value.permanent
    assert record_of(tmp_path, spec).spec.vcpus == 4
    World(tmp_path / "world").crash(spec.server_id)
    compute.resize(spec.server_id, 8, 256)
    assert record_of(tmp_path, spec).spec.vcpus == 8


# -- disks -----------------------------------------------------------------------------------------


def further(disk: Disk) -> DomainDisk:
    return DomainDisk(disk, "vdb", disk.disk_id[:20])


@pytest.mark.parametrize("state", [SHUTDOWN, RUNNING, PAUSED])
def test_a_disk_comes_and_goes_in_any_state_and_each_twice(
    drivers: Drivers, scene: Scene, tmp_path: Path, state: PowerState
) -> None:
    spec, disk = scene.define(), scene.disk(2)
    bring(drivers.compute, spec, state)
    for _ in range(2):
        drivers.compute.attach_disk(spec.server_id, further(disk))
    assert record_of(tmp_path, spec).spec.disks == (*spec.disks, further(disk))
    for _ in range(2):
        drivers.compute.detach_disk(spec.server_id, disk.disk_id)
    assert record_of(tmp_path, spec).spec == spec
    assert drivers.compute.power_state(spec.server_id) == state
    assert drivers.storage.describe_disk(disk.disk_id) == disk, "detached, not deleted"


def test_a_disk_that_another_domain_has_cannot_be_had_until_it_lets_go(
    drivers: Drivers, scene: Scene
) -> None:
    disk = scene.disk()
    one, two = scene.define(), scene.define()
    drivers.compute.attach_disk(one.server_id, further(disk))
    with pytest.raises(HostError, match="in use") as refused:
        drivers.compute.attach_disk(two.server_id, further(disk))
    assert refused.value.permanent
    assert one.server_id in refused.value.detail
    drivers.compute.detach_disk(one.server_id, disk.disk_id)
    drivers.compute.attach_disk(two.server_id, further(disk))


def test_a_disk_that_is_not_there_or_another_deployment_s_is_not_attached(
    drivers: Drivers, scene: Scene, tmp_path: Path
) -> None:
    spec = scene.define()
    foreign = Scene(open_host("there", tmp_path / "world")).disk()
    for disk in (foreign, replace(foreign, disk_id=new_id())):
        with pytest.raises(HostError, match="not there") as refused:
            drivers.compute.attach_disk(spec.server_id, further(disk))
        assert refused.value.permanent
    assert record_of(tmp_path, spec).spec == spec


# -- the guest's password --------------------------------------------------------------------------


def test_a_password_is_set_in_a_guest_that_runs_and_never_shown(
    drivers: Drivers, scene: Scene, tmp_path: Path
) -> None:
    spec, compute = scene.define(domain_of((scene.disk(),))), drivers.compute
    with pytest.raises(HostError, match="does not answer") as refused:
        compute.set_password(spec.server_id, "root", "xyzzy")
    assert not refused.value.permanent, "it may answer when it is up"
    compute.start(spec.server_id)
    compute.set_password(spec.server_id, "ubuntu", "xyzzy")
    assert compute.console_log(spec.server_id, 60).endswith(b"passwd: changed for ubuntu\n")
    files = [path for path in (tmp_path / "world").rglob("*") if path.is_file()]
    assert files
    assert not any(b"xyzzy" in path.read_bytes() for path in files)


# -- domains that are not there --------------------------------------------------------------------


def test_nothing_can_be_done_to_a_domain_that_is_not_this_deployment_s(
    drivers: Drivers, scene: Scene, tmp_path: Path
) -> None:
    there = open_host("there", tmp_path / "world").compute
    spec, disk = scene.define(), scene.disk()
    drivers.compute.start(spec.server_id)
    calls: list[Callable[[], object]] = [
        lambda: there.pause(spec.server_id),
        lambda: there.unpause(spec.server_id),
        lambda: there.suspend(spec.server_id),
        lambda: there.resize(spec.server_id, 9, 9),
        lambda: there.attach_disk(spec.server_id, further(disk)),
        lambda: there.set_password(spec.server_id, "root", "xyzzy"),
    ]
    for call in calls:
        with pytest.raises(HostError, match="not on this host") as refused:
            call()
        assert refused.value.permanent
    there.detach_disk(spec.server_id, spec.disks[0].disk.disk_id)
    assert record_of(tmp_path, spec).spec == spec
    assert drivers.compute.power_state(spec.server_id) == RUNNING


def test_a_domain_that_is_switched_off_has_no_shutdown_to_come() -> None:
    record = DomainRecord("here", domain_of(), RUNNING, 1.0, 2.0)
    assert off(record) == DomainRecord("here", record.spec, SHUTDOWN)
    assert off(record).power_state in OFF
