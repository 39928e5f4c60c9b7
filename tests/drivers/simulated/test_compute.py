from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from hanok.drivers.base import DiskSpec, DomainPort, DomainSpec, Drivers
from hanok.drivers.simulated.config import SimulatedConfig
from hanok.drivers.simulated.host import open_host
from hanok.drivers.simulated.world import World
from hanok.model.errors import HostError
from hanok.model.power import PowerState
from tests.drivers.scene import Scene, domain_of, network_of, wait_for

IMAGE = ("image-1", "qcow2")


def host(tmp_path: Path, **config: object) -> Drivers:
    return open_host("here", tmp_path / "world", SimulatedConfig.from_dict(config))


def bootable(scene: Scene) -> DomainSpec:
    return scene.define(domain_of((scene.disk(20, IMAGE),)))


def refused(drivers: Drivers, spec: DomainSpec) -> HostError:
    """The permanent error with which the domain does not start."""
    with pytest.raises(HostError) as caught:
        drivers.compute.start(spec.server_id)
    assert caught.value.permanent
    assert drivers.compute.power_state(spec.server_id) == PowerState.SHUTDOWN
    return caught.value


def test_facts_are_the_configuration(tmp_path: Path) -> None:
    facts = host(tmp_path, vcpus=3, ram_mib=512, disk_gib=7).compute.facts()
    assert (facts.driver, facts.accel) == ("simulated", "simulated")
    assert (facts.vcpus, facts.ram_mib, facts.disk_gib) == (3, 512, 7)


def test_a_guest_boots_at_each_start_and_its_log_goes_on(tmp_path: Path) -> None:
    drivers = host(tmp_path)
    spec = bootable(Scene(drivers))
    compute = drivers.compute
    compute.start(spec.server_id)
    compute.start(spec.server_id)
    first = compute.console_log(spec.server_id, 1 << 20)
    assert first.count(b"Linux version") == 1
    assert first.endswith(b"web-1 login: ")
    assert compute.console_log(spec.server_id, 7) == b"login: "
    assert compute.console_log(spec.server_id, 0) == b""
    compute.power_off(spec.server_id)
    compute.start(spec.server_id)
    assert compute.console_log(spec.server_id, 1 << 20) == first * 2
    compute.delete(spec.server_id)
    assert compute.console_log(spec.server_id, 1 << 20) == b""


def test_a_blank_disk_does_not_boot(tmp_path: Path) -> None:
    drivers = host(tmp_path)
    spec = Scene(drivers).define()
    drivers.compute.start(spec.server_id)
    assert b"No bootable device" in drivers.compute.console_log(spec.server_id, 1000)


def test_a_guest_takes_its_time_to_shut_down(tmp_path: Path) -> None:
    drivers = host(tmp_path, shutdown_s=[0.15, 0.15])
    spec, compute, heard = bootable(Scene(drivers)), drivers.compute, []
    compute.start(spec.server_id)
    compute.watch(lambda _: heard.append(compute.power_state(spec.server_id)))
    asked = time.monotonic()
    compute.shut_down(spec.server_id)
    compute.shut_down(spec.server_id)
    assert compute.power_state(spec.server_id) == PowerState.RUNNING
    assert wait_for(lambda: compute.power_state(spec.server_id) == PowerState.SHUTDOWN)
    assert 0.15 <= time.monotonic() - asked < 1
    assert [one.power_state for one in compute.list_domains()] == [PowerState.SHUTDOWN]
    assert wait_for(lambda: bool(heard) and heard[-1] == PowerState.SHUTDOWN)
    assert compute.console_log(spec.server_id, 100).endswith(b"reboot: Power down\n")
    compute.start(spec.server_id)
    assert compute.power_state(spec.server_id) == PowerState.RUNNING
    compute.close()


def test_asking_again_prolongs_no_shutdown(tmp_path: Path) -> None:
    drivers, world = host(tmp_path, shutdown_s=[60, 60]), World(tmp_path / "world")
    spec = bootable(Scene(drivers))
    drivers.compute.start(spec.server_id)
    drivers.compute.shut_down(spec.server_id)
    asked = world.contents()["domains"]
    drivers.compute.shut_down(spec.server_id)
    assert world.contents()["domains"] == asked


def test_its_own_changes_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hanok.drivers.simulated.watcher._LOOK", 60.0)
    drivers, heard = host(tmp_path, shutdown_s=[0.05, 0.05]), list[PowerState]()
    spec, compute = bootable(Scene(drivers)), drivers.compute
    compute.watch(lambda server_id: heard.append(compute.power_state(server_id)))
    for change, state in (
        (compute.start, PowerState.RUNNING),
        (compute.shut_down, PowerState.SHUTDOWN),
        (compute.delete, PowerState.NOSTATE),
    ):
        heard.clear()
        change(spec.server_id)
        assert wait_for(lambda: state in heard)  # noqa: B023 - waited for within the round
    compute.close()


def test_a_guest_shuts_down_while_nobody_looks(tmp_path: Path) -> None:
    drivers = host(tmp_path, shutdown_s=[0.1, 0.1])
    spec = bootable(Scene(drivers))
    drivers.compute.start(spec.server_id)
    drivers.compute.shut_down(spec.server_id)
    drivers.compute.close()
    time.sleep(0.1)
    again = host(tmp_path)
    assert World(tmp_path / "world").contents()["domains"][spec.server_id]["off_at"] is None
    assert again.compute.power_state(spec.server_id) == PowerState.SHUTDOWN


def test_power_off_ends_a_shutdown(tmp_path: Path) -> None:
    drivers = host(tmp_path, shutdown_s=[60, 60])
    spec = bootable(Scene(drivers))
    drivers.compute.start(spec.server_id)
    drivers.compute.shut_down(spec.server_id)
    drivers.compute.power_off(spec.server_id)
    assert drivers.compute.power_state(spec.server_id) == PowerState.SHUTDOWN
    drivers.compute.start(spec.server_id)
    assert drivers.compute.power_state(spec.server_id) == PowerState.RUNNING


def test_a_guest_shuts_down_at_once_by_default(tmp_path: Path) -> None:
    drivers = host(tmp_path)
    spec = bootable(Scene(drivers))
    drivers.compute.start(spec.server_id)
    drivers.compute.shut_down(spec.server_id)
    assert drivers.compute.power_state(spec.server_id) == PowerState.SHUTDOWN


def test_a_domain_without_its_disk_or_tap_does_not_start(tmp_path: Path) -> None:
    drivers, world = host(tmp_path), World(tmp_path / "world")
    scene = Scene(drivers)
    no_disk, no_port, other_tap = scene.define(), scene.define(), scene.define()
    world.remove_disk(no_disk.disks[0].disk.disk_id)
    assert "disk" in refused(drivers, no_disk).message
    world.remove_port(no_port.ports[0].port_id)
    assert "port" in refused(drivers, no_port).message
    drivers.compute.define(replace(other_tap, ports=(replace(other_tap.ports[0], tap="tap-x"),)))
    assert "port" in refused(drivers, other_tap).message


def test_a_crashed_domain_starts_and_changes(tmp_path: Path) -> None:
    drivers = host(tmp_path)
    spec, compute = bootable(Scene(drivers)), drivers.compute
    compute.start(spec.server_id)
    World(tmp_path / "world").crash(spec.server_id)
    assert compute.power_state(spec.server_id) == PowerState.CRASHED
    compute.power_off(spec.server_id)
    compute.define(replace(spec, vcpus=2))
    assert compute.power_state(spec.server_id) == PowerState.SHUTDOWN
    compute.start(spec.server_id)
    assert compute.power_state(spec.server_id) == PowerState.RUNNING


def test_a_disk_is_one_domains(tmp_path: Path) -> None:
    drivers = host(tmp_path)
    scene = Scene(drivers)
    disk = scene.disk()
    owner = scene.define(domain_of((disk,)))
    thief = domain_of((disk,))
    with pytest.raises(HostError) as caught:
        drivers.compute.define(thief)
    assert caught.value.permanent
    assert drivers.compute.power_state(thief.server_id) == PowerState.NOSTATE
    drivers.compute.define(replace(owner, disks=()))
    drivers.compute.define(thief)
    drivers.compute.start(thief.server_id)
    drivers.compute.define(owner := replace(owner, disks=(), vcpus=2))
    drivers.compute.delete(thief.server_id)
    drivers.compute.define(replace(owner, disks=thief.disks))


def test_two_domains_defined_before_their_disk_cannot_both_start(tmp_path: Path) -> None:
    drivers = host(tmp_path)
    scene = Scene(drivers)
    disk = scene.disk()
    drivers.storage.delete_disk(disk.disk_id)
    one, two = scene.define(domain_of((disk,))), scene.define(domain_of((disk,)))
    drivers.storage.create_disk(DiskSpec(disk.disk_id, 1))
    drivers.compute.start(one.server_id)
    assert "in use" in refused(drivers, two).message


def test_deployments_share_a_world_and_not_their_objects(tmp_path: Path) -> None:
    here = host(tmp_path)
    there = open_host("there", tmp_path / "world")
    heard: list[str] = []
    there.compute.watch(heard.append)
    scene = Scene(here)
    spec = scene.define()
    here.compute.start(spec.server_id)
    there.compute.power_off(spec.server_id)
    there.compute.shut_down(spec.server_id)
    there.compute.delete(spec.server_id)
    assert there.compute.list_domains() == []
    assert there.compute.console_log(spec.server_id, 100) == b""
    assert there.compute.power_state(spec.server_id) == PowerState.NOSTATE
    assert here.compute.power_state(spec.server_id) == PowerState.RUNNING
    with pytest.raises(HostError):
        there.compute.define(spec)
    theirs = Scene(there).define()
    assert wait_for(lambda: bool(heard))
    assert set(heard) == {theirs.server_id}
    for drivers in (here, there):
        drivers.compute.close()


def test_a_disk_of_another_deployment_is_not_there(tmp_path: Path) -> None:
    disk = Scene(host(tmp_path)).disk()
    there = open_host("there", tmp_path / "world")
    spec = domain_of((disk,))
    there.compute.define(spec)
    assert "not there" in refused(there, spec).message


def test_an_undone_port_of_a_domain_is_seen(tmp_path: Path) -> None:
    drivers = host(tmp_path)
    scene = Scene(drivers)
    port, tap = scene.plug(network_of())
    spec = scene.define(
        domain_of((scene.disk(),), (DomainPort(port.port_id, port.mac, tap, port.mtu),))
    )
    drivers.network.unplug(port.port_id)
    refused(drivers, spec)
