from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hanok.drivers.base import Drivers
from hanok.drivers.simulated.config import FailureRule, FaultPlan, SimulatedConfig
from hanok.drivers.simulated.host import open_host
from hanok.drivers.simulated.world import World
from hanok.model.errors import HostError, Invalid, NotFound
from hanok.model.power import PowerState
from tests.drivers.scene import Scene, wait_for


@pytest.fixture
def drivers(tmp_path: Path) -> Drivers:
    return open_host("here", tmp_path)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize(
    ("happens", "state"),
    [
        (World.crash, PowerState.CRASHED),
        (World.power_off, PowerState.SHUTDOWN),
        (World.remove_domain, PowerState.NOSTATE),
        (lambda world, _: world.restart_host(), PowerState.SHUTDOWN),
    ],
)
def test_what_happens_behind_the_api_is_seen_and_heard(
    drivers: Drivers, world: World, happens: object, state: PowerState
) -> None:
    spec = Scene(drivers).define()
    drivers.compute.start(spec.server_id)
    heard: list[str] = []
    drivers.compute.watch(heard.append)
    assert callable(happens)
    happens(world, spec.server_id)
    assert drivers.compute.power_state(spec.server_id) == state
    assert wait_for(lambda: spec.server_id in heard)
    drivers.compute.close()


def test_somebody_else_starts_a_domain(drivers: Drivers, world: World) -> None:
    spec = Scene(drivers).define()
    world.power_on(spec.server_id)
    assert drivers.compute.power_state(spec.server_id) == PowerState.RUNNING
    assert b"login: " in drivers.compute.console_log(spec.server_id, 1000)


def test_taps_do_not_survive_their_host(drivers: Drivers, world: World) -> None:
    spec = Scene(drivers).define()
    world.restart_host()
    assert drivers.network.list_ports() == drivers.network.list_networks() == []
    with pytest.raises(HostError):
        drivers.compute.start(spec.server_id)


def test_a_guest_writes_to_its_console(drivers: Drivers, world: World) -> None:
    spec = Scene(drivers).define()
    world.write_console(spec.server_id, b"hello \xff\n")
    assert drivers.compute.console_log(spec.server_id, 100) == b"hello \xff\n"


def test_an_absent_server_is_told(world: World) -> None:
    for happens in (world.crash, world.power_off, world.power_on, world.remove_domain):
        with pytest.raises(NotFound):
            happens("absent")
    with pytest.raises(NotFound):
        world.write_console("absent", b"")


def test_faults_are_injected_and_withdrawn(drivers: Drivers, world: World) -> None:
    world.inject(SimulatedConfig(failures=(FailureRule("storage.free_gib", times=1),)))
    with pytest.raises(HostError):
        drivers.storage.free_gib()
    drivers.storage.free_gib()
    world.inject({"failures": [{"verb": "storage.*"}]})
    with pytest.raises(HostError):
        drivers.storage.free_gib()
    with pytest.raises(Invalid):
        world.inject({"failures": [{"verb": "storage.free"}]})
    world.withdraw()
    world.withdraw()
    drivers.storage.free_gib()


CHILD = """
import sys
from pathlib import Path
from hanok.drivers.simulated.world import World
world = World(Path(sys.argv[1]))
world.crash(sys.argv[2])
world.inject({"failures": [{"verb": "compute.facts", "message": "From outside."}]})
"""


def test_it_all_works_from_another_process(drivers: Drivers, tmp_path: Path) -> None:
    spec = Scene(drivers).define()
    heard: list[str] = []
    drivers.compute.watch(heard.append)
    subprocess.run([sys.executable, "-c", CHILD, tmp_path, spec.server_id], check=True, timeout=30)
    assert wait_for(lambda: spec.server_id in heard)
    assert drivers.compute.power_state(spec.server_id) == PowerState.CRASHED
    with pytest.raises(HostError, match="From outside"):
        drivers.compute.facts()
    drivers.compute.close()


def test_contents_tell_whether_a_world_is_as_before(drivers: Drivers, world: World) -> None:
    empty = world.contents()
    assert set(empty) == {"domains", "disks", "networks", "ports", "consoles"}
    scene = Scene(drivers)
    spec = scene.define()
    drivers.compute.start(spec.server_id)
    full = world.contents()
    assert all(len(found) == 1 for found in full.values())
    world.inject(FaultPlan())
    assert world.contents() == full
    scene.clear()
    assert world.contents() == empty
