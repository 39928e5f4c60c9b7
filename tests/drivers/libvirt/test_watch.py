"""Reports of changed domains, on a libvirtd of the tests' own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanok.drivers.base import Drivers
from hanok.model.errors import HostUnreachable
from hanok.model.power import PowerState
from tests.drivers.libvirt.private_libvirtd import PrivateLibvirtd
from tests.drivers.libvirt_host import leftovers, open_libvirt, purge
from tests.drivers.scene import Scene, wait_for

pytestmark = pytest.mark.guest


@pytest.fixture
def host(private: PrivateLibvirtd, tmp_path: Path) -> Iterator[Drivers]:
    drivers = open_libvirt(tmp_path, private.uri)
    yield drivers
    drivers.compute.close()
    left = leftovers(tmp_path)
    purge(tmp_path)
    assert left == []


@pytest.fixture
def scene(host: Drivers) -> Iterator[Scene]:
    made = Scene(host)
    yield made
    made.clear()


def test_fault_17_a_guest_outlives_its_daemon_and_is_watched_again(
    host: Drivers, scene: Scene, private: PrivateLibvirtd
) -> None:
    heard: list[str] = []
    spec, compute = scene.define(), host.compute
    compute.watch(heard.append)
    compute.start(spec.server_id)
    assert wait_for(lambda: spec.server_id in heard)
    private.kill()
    with pytest.raises(HostUnreachable):
        compute.power_state(spec.server_id)
    heard.clear()
    private.start()
    # Without anybody asking: the watch finds the daemon again and reports every domain.
    assert wait_for(lambda: spec.server_id in heard)
    assert compute.power_state(spec.server_id) == PowerState.RUNNING
    compute.define(spec)
    assert wait_for(lambda: heard.count(spec.server_id) >= 1)
    heard.clear()
    compute.power_off(spec.server_id)
    assert wait_for(lambda: spec.server_id in heard)


def test_a_listener_may_ask_the_driver(host: Drivers, scene: Scene) -> None:
    seen: list[PowerState] = []
    spec = scene.define()
    host.compute.watch(lambda server_id: seen.append(host.compute.power_state(server_id)))
    host.compute.start(spec.server_id)
    assert wait_for(lambda: PowerState.RUNNING in seen)


def test_every_listener_hears(host: Drivers, scene: Scene) -> None:
    first: list[str] = []
    second: list[str] = []
    host.compute.watch(first.append)
    host.compute.watch(second.append)
    spec = scene.define()
    assert wait_for(lambda: spec.server_id in first and spec.server_id in second)


def test_a_listener_that_fails_silences_nobody_and_the_watch_goes_on(
    host: Drivers, scene: Scene
) -> None:
    heard: list[str] = []

    def fail(server_id: str) -> None:
        raise RuntimeError(server_id)

    host.compute.watch(fail)
    host.compute.watch(heard.append)
    first = scene.define()
    assert wait_for(lambda: first.server_id in heard)
    second = scene.define()
    assert wait_for(lambda: second.server_id in heard)


def test_others_domains_are_not_heard_of(
    host: Drivers, private: PrivateLibvirtd, tmp_path: Path
) -> None:
    heard: list[str] = []
    host.compute.watch(heard.append)
    other_root = tmp_path / "other"
    other = open_libvirt(other_root, private.uri)
    scene, mine = Scene(other), Scene(host)
    theirs = scene.define()
    ours = mine.define()
    assert wait_for(lambda: ours.server_id in heard)
    assert theirs.server_id not in heard
    mine.clear()
    scene.clear()
    other.compute.close()
    assert leftovers(other_root) == []


def test_after_closing_nothing_is_heard_and_no_thread_is_left(
    private: PrivateLibvirtd, tmp_path: Path
) -> None:
    heard: list[str] = []
    drivers = open_libvirt(tmp_path, private.uri)
    drivers.compute.watch(heard.append)
    drivers.compute.close()
    watching = [one.name for one in threading.enumerate() if one.name == "libvirt-watch"]
    assert watching == []
    again = open_libvirt(tmp_path, private.uri)
    scene = Scene(again)
    spec = scene.define()
    scene.clear()
    again.compute.close()
    assert spec.server_id not in heard
    assert leftovers(tmp_path) == []
