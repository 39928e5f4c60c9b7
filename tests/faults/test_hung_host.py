"""A host that hangs: nobody else waits for it, and SIGTERM ends the process all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hanok.drivers.simulated.config import FailureRule, FaultPlan
from hanok.drivers.simulated.world import World
from tests.e2e.cloud import Cloud, poll
from tests.e2e.inventory import Need, check_rows, check_simulated, need, rows
from tests.e2e.region import Region, region

HANG = 120.0
PROMPT = 1.0
"""Seconds in which what does not need the host is answered."""


@pytest.fixture(scope="module")
def one_region(database_options: tuple[str, ...]) -> Iterator[Region]:
    with region("simulated", *database_options) as found:
        yield found


@pytest.fixture
def running(one_region: Region) -> Iterator[Region]:
    """The region, running and without faults or servers, whatever the test before did."""
    if one_region.pid is None:
        one_region.start()
    yield one_region
    World(one_region.folder() / "world").withdraw()
    if one_region.pid is None:
        one_region.start()
    cloud = one_region.cloud()
    for server in cloud.servers():
        cloud.delete(server["id"])
    cloud.settle()


def hang(running: Region, *verbs: str) -> World:
    """Let calls of these verbs hang from now on."""
    world = World(running.folder() / "world")
    world.inject(FaultPlan(failures=tuple(FailureRule(verb, hang_s=HANG) for verb in verbs)))
    return world


def holds(running: Region, server_id: str) -> bool:
    """Whether there is a domain of the server."""
    return server_id in World(running.folder() / "world").contents()["domains"]


def deleted_servers(running: Region) -> dict[object, object]:
    """The servers whose rows say that they are deleted, and when they were."""
    found = rows(running, "SELECT id, terminated_at FROM servers WHERE vm_state = 'deleted'")
    return {server_id: at for server_id, at in found if at is not None}


def wait_until_hung(running: Region) -> None:
    """Wait until the one operation under way has been in the same call to a host for a while."""

    def position() -> list[tuple[object, ...]]:
        under_way = (
            "SELECT id, position FROM operations WHERE ended_at IS NULL AND place <> 'control'"
        )
        return rows(running, under_way)

    def stays() -> bool:
        before = position()
        time.sleep(0.4)
        return len(before) == 1 and before == position()

    poll(stays, "no call hangs", 15)


def timed(cloud: Cloud, method: str, path: str, body: Any = None) -> httpx.Response:
    began = time.monotonic()
    answer = cloud.request(method, "compute", path, body)
    assert time.monotonic() - began < PROMPT, path
    return answer


def test_fault_24_a_hung_host_delays_no_answer(running: Region) -> None:
    cloud = running.cloud()
    world = hang(running, "compute.*")
    made = cloud.create("waits", "m2.c1m2")
    wait_until_hung(running)
    for path in ("/servers/detail", f"/servers/{made}", "/flavors", "/os-keypairs"):
        assert timed(cloud, "GET", path).status_code == 200
    assert (
        timed(cloud, "POST", "/servers", cloud.server_body("queues", "u2.c1m1")).status_code == 202
    )
    assert cloud.server(made)["status"] == "BUILD"
    world.withdraw()
    cloud.settle()
    wanted = need(cloud)
    assert len(wanted.servers) == 2
    check_simulated(running, wanted)
    check_rows(running, wanted)


@pytest.mark.slow
def test_fault_24_a_domain_that_comes_after_its_server_s_delete_is_removed(
    running: Region,
) -> None:
    """The call's own deadline of 30 s, and two of the looks that come every 20 s."""
    cloud = running.cloud()
    world = World(running.folder() / "world")
    late = FailureRule("compute.define", hang_s=HANG, outcome="late")
    world.inject(FaultPlan(failures=(late,)))
    made = cloud.create("late", "u2.c1m1")
    wait_until_hung(running)
    cloud.delete(made)
    cloud.settle()
    before = deleted_servers(running)
    assert made in before
    assert not holds(running, made)
    world.withdraw()
    poll(lambda: holds(running, made), "the call never takes effect", 10)
    poll(lambda: not holds(running, made), "the domain stays", 60)
    cloud.settle()
    assert deleted_servers(running) == before
    check_simulated(running, need(cloud))
    check_rows(running, need(cloud))


@pytest.mark.parametrize("verb", ["storage.create_disk", "network.plug", "compute.start"])
def test_fault_70_sigterm_ends_within_five_seconds_while_a_step_hangs(
    running: Region, verb: str
) -> None:
    cloud = running.cloud()
    world = hang(running, verb)
    made = cloud.create("hangs", "m2.c1m2")
    wait_until_hung(running)
    address = f"{running.url}/v2.0"
    code, seconds = running.terminate()
    assert code == 0
    assert seconds < 5
    with pytest.raises(httpx.ConnectError):
        httpx.get(address, trust_env=False)
    world.withdraw()
    running.start()
    cloud = running.cloud()
    cloud.wait_status(made, "ACTIVE")
    wanted = need(cloud)
    check_simulated(running, wanted)
    check_rows(running, wanted)


def test_fault_70_sigterm_ends_within_five_seconds_while_a_question_hangs(
    running: Region,
) -> None:
    cloud = running.cloud()
    made = cloud.create("asked", "m2.c1m2")
    cloud.wait_status(made, "ACTIVE")
    hang(running, "compute.console_log")
    answers: list[object] = []

    def ask() -> None:
        try:
            body: dict[str, Any] = {"os-getConsoleOutput": {}}
            answers.append(cloud.request("POST", "compute", f"/servers/{made}/action", body))
        except httpx.TransportError as error:
            answers.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.5)
    assert not answers, "the question hangs"
    code, seconds = running.terminate()
    asking.join(5)
    assert not asking.is_alive()
    assert (code, len(answers)) == (0, 1)
    assert seconds < 5


def test_fault_70_sigterm_in_the_middle_of_requests_loses_no_accepted_server(
    running: Region,
) -> None:
    cloud = running.cloud()
    accepted: set[str] = set()
    stop = threading.Event()
    body = cloud.server_body("many", "u2.c1m1")

    def ask() -> None:
        while not stop.is_set():
            try:
                answer = cloud.request("POST", "compute", "/servers", body)
            except httpx.TransportError:
                return
            if answer.status_code != 202:
                return
            accepted.add(answer.json()["server"]["id"])

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    time.sleep(0.4)
    code, seconds = running.terminate()
    stop.set()
    for thread in asking:
        thread.join(5)
    assert code == 0
    assert seconds < 5
    assert accepted
    running.start()
    cloud = running.cloud()
    cloud.settle()
    wanted = need(cloud)
    assert accepted <= wanted.servers
    check_simulated(running, wanted)
    check_rows(running, wanted)
    assert wanted != Need()
