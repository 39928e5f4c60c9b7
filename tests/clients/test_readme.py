"""The README's own lines, run as they stand against a region with a state directory elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.environment import clean, program
from tests.e2e.inventory import Need, check_rows, check_simulated, need
from tests.e2e.region import Region, region
from tests.house.source import ROOT

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]

STATE = "/var/lib/hanok"
"""The state directory that the README speaks of."""
BLOCK = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def running() -> Iterator[Region]:
    with region("simulated") as found:
        yield found


def lines_with(word: str) -> str:
    """The one block of the README in which a line starts with the word."""
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    (found,) = [block for block in blocks if re.search(rf"^{word} ", block, re.MULTILINE)]
    return str(found)


def run(script: str, running: Region, folder: Path) -> str:
    path = f"{program('openstack').parent}:{clean()['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", script.replace(STATE, str(running.state))],
        cwd=folder,
        env={**clean(), "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_curl_gets_a_token(running: Region, tmp_path: Path) -> None:
    access = json.loads(run(lines_with("curl"), running, tmp_path))["access"]
    assert access["token"]["tenant"]["id"] == running.account().project_id
    assert {service["type"] for service in access["serviceCatalog"]} >= {"compute", "identity"}


def test_the_command_makes_two_servers_and_deletes_them(running: Region, tmp_path: Path) -> None:
    said = run(lines_with("openstack"), running, tmp_path)
    # The list comes last: both servers are in it, with their flavors.
    listed = said[said.rindex("| Networks") :]
    assert re.search(r"\| one .*\| u2\.c1m1 ", listed), said
    assert re.search(r"\| two .*\| m2\.c1m2 ", listed), said
    assert (tmp_path / "me.pem").stat().st_mode & 0o777 == 0o600
    cloud = running.cloud()
    cloud.settle()
    (root,) = cloud.volumes()  # the command asks for a root volume that stays
    wanted = Need(volumes=frozenset({root["id"]}))
    assert need(cloud) == wanted
    check_rows(running, wanted)
    check_simulated(running, wanted)
