"""openstacksdk against a region, logged in by v2.0 and by v3."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.environment import by_clouds_yaml, by_openrc, by_v2password, clean, program
from tests.e2e.inventory import Need, check_rows, check_simulated, need
from tests.e2e.region import Region, region

pytestmark = [pytest.mark.clients, pytest.mark.timeout(200)]

SESSION = Path(__file__).with_name("sdk_session.py")


@pytest.fixture(scope="module")
def running() -> Iterator[Region]:
    with region("simulated") as found:
        yield found


@pytest.mark.parametrize(
    "log_in",
    [by_v2password, by_openrc, by_clouds_yaml],
    ids=["v2password", "openrc", "clouds.yaml"],
)
def test_a_session(running: Region, log_in: Callable[[Region], dict[str, str]]) -> None:
    done = subprocess.run(
        [str(program("python")), str(SESSION)],
        env={**clean(), **log_in(running)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    looked = seen["look"]
    assert {"m2.c1m2", "u2.c1m1"} <= set(looked["flavors"])
    assert looked["images"] == [["hanok-tiny", "active"]]
    assert looked["networks"] == ["Default-Network"]
    assert looked["zones"] == ["kr-pub-a", "kr-pub-b"]
    made = seen["make"]
    assert made["private_key"].startswith("-----BEGIN ")
    assert made["rule"] == 443
    assert made["on_volume"] == ["ACTIVE", 1]
    assert made["local"] == ["ACTIVE", "by the SDK", 0]
    assert made["address"].startswith("192.168.0.")
    assert made["listed"] == ["sdk-local", "sdk-volume"]
    assert made["volumes"] == [[10, "in-use"]]
    assert made["console"] == "login:"
    assert seen["remove"] == {"servers": 0, "volumes": 0, "keys": 0}
    check_simulated(running, Need())
    check_rows(running, Need())
    assert need(running.cloud()) == Need()
