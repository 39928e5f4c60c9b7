"""A server's whole life by four clients, on both drivers: each sees the same.

A server on a volume is created, stopped, started, rebooted both ways, resized and given a volume
and relieved of it; an image is made of a U2 server; all is deleted, and nothing is left.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.boots import count_guest_boot
from tests.clients import command_walk
from tests.clients.command import Command
from tests.clients.environment import by_openrc, by_v2password, clean, program
from tests.e2e.inventory import Need, check_real, check_rows, check_simulated, need
from tests.e2e.region import Region, region

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]

HERE = Path(__file__).parent
DEBIAN_GO = "/usr/share/gocode"
"""Where Debian's packages of Go libraries lie."""
BOOTS = ("created", "started", "rebooted hard", "rebooted", "resized", "created on a local disk")
EXPECTED = {
    "created": ["ACTIVE", "ACTIVE"],
    "stopped": "SHUTOFF",
    "started": "ACTIVE",
    "prompts": 3,
    "resizing": "VERIFY_RESIZE",
    "resized": "m2.c2m4",
    "attached": ["in-use", True, 2],
    "detached": "available",
    "image": "active",
    "left": 0,
}

Seen = dict[str, Any]
Client = Callable[[Region, Path], Seen]


@pytest.fixture(
    scope="module", params=["simulated", pytest.param("libvirt", marks=pytest.mark.guest)]
)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Region]:
    """A region whose resized servers wait for whoever looks at them by a slow command."""
    settings = tmp_path_factory.mktemp("region") / "hanok.toml"
    settings.write_text("confirm_resize_after = 60\n")
    with region(request.param, "--config", str(settings)) as found:
        yield found


def by_command(running: Region, folder: Path) -> Seen:
    """python-openstackclient, logged in by v2password alone."""
    openstack = Command(program("openstack"), by_v2password(running))
    return command_walk.walk(openstack, "command", folder)


def by_sdk(running: Region, _folder: Path) -> Seen:
    """Run openstacksdk, logged in by v2password alone."""
    python = str(program("python"))
    return _said([python, str(HERE / "sdk_walk.py"), "sdk"], by_v2password(running))


def by_libcloud(running: Region, _folder: Path) -> Seen:
    """Run apache-libcloud, logged in by v2.0."""
    python = str(program("python"))
    return _said([python, str(HERE / "libcloud_walk.py"), "libcloud"], by_openrc(running))


def by_gophercloud(running: Region, folder: Path) -> Seen:
    """gophercloud, built here against Debian's package, logged in by v2.0."""
    go = shutil.which("go")
    if go is None or not Path(DEBIAN_GO, "src/github.com/gophercloud/gophercloud").exists():
        pytest.skip("Go and gophercloud are not there: `scripts/debian.sh clients` installs them")
    built = folder / "walk"
    settings = {"GO111MODULE": "off", "GOPATH": DEBIAN_GO, "GOCACHE": str(folder / "cache")}
    subprocess.run(
        [go, "build", "-o", str(built), str(HERE / "gophercloud" / "walk.go")],
        env={**os.environ, **settings},
        check=True,
        timeout=300,
    )
    return _said([str(built), "gophercloud"], by_openrc(running))


def _said(command: Sequence[str], settings: dict[str, str]) -> Seen:
    done = subprocess.run(
        command,
        env={**clean(), **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen: Seen = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.mark.parametrize("client", [by_command, by_sdk, by_libcloud, by_gophercloud])
def test_a_whole_life(running: Region, client: Client, tmp_path: Path) -> None:
    if running.driver == "libvirt":
        for what in BOOTS:
            count_guest_boot(f"{client.__name__}: {what}")
    assert client(running, tmp_path) == EXPECTED
    cloud = running.cloud()
    cloud.settle()
    assert need(cloud) == Need()
    check_rows(running, Need())
    check = check_real if running.driver == "libvirt" else check_simulated
    check(running, Need())
