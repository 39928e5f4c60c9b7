"""A libvirt host for each test that wants one, and proof that nothing is left of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanok.drivers.base import Drivers
from tests.drivers.libvirt.private_libvirtd import PrivateLibvirtd
from tests.drivers.libvirt_host import leftovers, open_libvirt, purge
from tests.drivers.scene import Scene


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Drivers]:
    """A host of the test's own; whatever is left of it at the end is an error, and removed."""
    drivers = open_libvirt(tmp_path)
    yield drivers
    drivers.compute.close()
    left = leftovers(tmp_path)
    purge(tmp_path)
    assert left == []


@pytest.fixture
def scene(host: Drivers) -> Iterator[Scene]:
    """What the test makes on its host, removed at the end."""
    made = Scene(host)
    yield made
    made.clear()


@pytest.fixture(scope="session")
def private_daemon() -> Iterator[PrivateLibvirtd]:
    folder = Path(tempfile.mkdtemp(prefix="hanok-libvirtd-", dir="/var/tmp"))
    folder.chmod(0o711)
    daemon = PrivateLibvirtd(folder)
    yield daemon
    daemon.end()
    shutil.rmtree(folder)


@pytest.fixture
def private(private_daemon: PrivateLibvirtd) -> PrivateLibvirtd:
    """A libvirtd that may be killed and stopped; it runs when the test begins."""
    private_daemon.ensure()
    return private_daemon
