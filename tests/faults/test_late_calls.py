"""A call that a host did not answer in time takes effect when its server has long been deleted."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hanok.drivers.simulated.compute import SimulatedCompute
from hanok.drivers.simulated.network import SimulatedNetwork
from hanok.drivers.simulated.storage import SimulatedStorage
from hanok.model.server import Server, VmState
from hanok.reconcile.leftovers import LeftoverRemoval
from tests.drivers.scene import wait_for
from tests.operations.world import HOST, IMAGE, World

PATIENCE = 1.5
"""Seconds that a step waits for its host: enough for a libvirt that is busy."""
LATE = {"define": "domains", "plug": "ports", "create_disk": "disks"}
"""What appears when the call takes effect."""


class Hang:
    """Calls that hang until they are let go; `reached` is set by the first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._go = threading.Event()
        self.reached = threading.Event()

    def hold(self, owner: type, name: str) -> None:
        """Let every call of a method hang before it does anything."""
        method: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(method)
        def hangs(*args: Any, **kwargs: Any) -> Any:
            self.reached.set()
            self._go.wait()
            return method(*args, **kwargs)

        self._monkeypatch.setattr(owner, name, hangs)

    def let_go(self) -> None:
        self._go.set()


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hang]:
    one = Hang(monkeypatch)
    yield one
    one.let_go()


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    one = World(database_url, tmp_path, patience=PATIENCE).open()
    yield one
    one.close()


def deleted_while_it_hangs(world: World, hang: Hang) -> Server:
    """Ask for a server, delete it while a call of its create hangs, and see it deleted."""
    world.start()
    server_id = world.create()
    assert hang.reached.wait(10)
    world.delete(server_id)
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.terminated_at is None) == (VmState.DELETED, False)
    world.assert_nothing_is_left()
    return server


def assert_removed(world: World, hang: Hang, server: Server, what: str) -> None:
    """Let the call take effect; three looks later nothing is left, and the row is as it was."""
    hang.let_go()
    assert wait_for(lambda: world.reality()[what] == 1, 10), f"the late {what} never came"
    removal = LeftoverRemoval(world.store, world.hosts, world.engine, world.clock)
    for _ in range(3):
        removal.look()
        world.settle()
    world.assert_nothing_is_left()
    assert world.server(server.id) == server


@pytest.mark.parametrize("verb", LATE)
def test_fault_24_what_a_hung_host_does_too_late_is_removed(
    world: World, hang: Hang, verb: str
) -> None:
    owners = {"define": SimulatedCompute, "plug": SimulatedNetwork}
    hang.hold(owners.get(verb, SimulatedStorage), verb)
    server = deleted_while_it_hangs(world, hang)
    assert_removed(world, hang, server, LATE[verb])


@pytest.fixture
def on_libvirt(world: World, tmp_path: Path) -> Iterator[World]:
    """The world with a libvirt host in the simulated one's place; in the end nothing is left."""
    from tests.drivers.libvirt_host import images_of, leftovers, open_libvirt, purge

    world.drivers = open_libvirt(tmp_path)
    images_of(tmp_path).add(IMAGE, [bytes(1 << 20)], "raw")
    world.hosts.remove(HOST)
    world.hosts.add(HOST, world.drivers)
    yield world
    left = leftovers(tmp_path)
    purge(tmp_path)
    assert left == []


@pytest.mark.guest
@pytest.mark.parametrize("verb", LATE)
def test_fault_24_what_libvirt_does_too_late_is_removed(
    on_libvirt: World, hang: Hang, verb: str
) -> None:
    """No guest boots: the domain is defined, and deleted before anybody would start it."""
    from hanok.drivers.libvirt.network import LibvirtNetwork
    from hanok.drivers.libvirt.own_domains import OwnDomains
    from hanok.drivers.libvirt.storage import LibvirtStorage

    if verb == "define":
        # Behind its look at the disks, which are there: what hangs is libvirt.
        hang.hold(OwnDomains, "check_free")
    else:
        hang.hold(LibvirtNetwork if verb == "plug" else LibvirtStorage, verb)
    server = deleted_while_it_hangs(on_libvirt, hang)
    assert_removed(on_libvirt, hang, server, LATE[verb])
