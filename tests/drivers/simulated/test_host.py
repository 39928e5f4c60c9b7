from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hanok.drivers.simulated.host import open_host
from hanok.drivers.simulated.world import World
from hanok.model.power import PowerState
from tests.drivers.scene import Scene

CHILD = """
import itertools, sys
from pathlib import Path
from hanok.drivers.simulated.host import open_host
from tests.drivers.scene import Scene
drivers = open_host("here", Path(sys.argv[1]))
kept = Scene(drivers).define()
drivers.compute.start(kept.server_id)
print(kept.server_id, flush=True)
while True:
    scene = Scene(drivers)
    spec = scene.define()
    drivers.compute.start(spec.server_id)
    scene.clear()
"""


@pytest.mark.parametrize("after", [0.01, 0.05])
def test_a_world_survives_kill_9(tmp_path: Path, after: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, tmp_path], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        kept = child.stdout.readline().strip()
        time.sleep(after)
        os.kill(child.pid, signal.SIGKILL)
    drivers = open_host("here", tmp_path)
    assert drivers.compute.power_state(kept) == PowerState.RUNNING
    assert b"SeaBIOS" in drivers.compute.console_log(kept, 100)
    # Whatever it was in the middle of can be repeated and removed.
    for domain in drivers.compute.list_domains():
        drivers.compute.delete(domain.server_id)
    for port_id in drivers.network.list_ports():
        drivers.network.unplug(port_id)
    for disk in drivers.storage.list_disks():
        drivers.storage.delete_disk(disk.disk_id)
    assert not any(World(tmp_path).contents().values())


def test_opening_sweeps_what_a_dead_writer_left(tmp_path: Path) -> None:
    open_host("here", tmp_path)
    leftover = tmp_path / "domains" / ".unfinished-x.json"
    leftover.write_text("{")
    drivers = open_host("here", tmp_path)
    assert not leftover.exists()
    assert drivers.compute.list_domains() == []


def test_a_world_is_its_owners_only(tmp_path: Path) -> None:
    root = tmp_path / "world"
    Scene(open_host("here", root)).define()
    for path in [root, *root.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_closed_host_is_opened_again(tmp_path: Path) -> None:
    drivers = open_host("here", tmp_path)
    spec = Scene(drivers).define()
    drivers.compute.close()
    drivers.compute.close()
    assert open_host("here", tmp_path).compute.power_state(spec.server_id) == PowerState.SHUTDOWN
