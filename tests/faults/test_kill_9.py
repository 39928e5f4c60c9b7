"""kill -9 of the process at any moment: after the next start, all is there once or not at all."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.boots import count_guest_boot
from tests.e2e.cloud import Cloud
from tests.e2e.inventory import check_real, check_rows, check_simulated, need, rows
from tests.e2e.region import Region, region

SIMULATED_LONGEST = 0.35
"""Seconds in which two creates and three deletes of the simulated region are mostly under way."""
REAL_LONGEST = 0.8
"""Seconds in which a real create, or a delete, has mostly ended."""
SLOW_STEPS = '[simulated.delays]\n"*" = [0.0, 0.15]\n'
LOCAL, ON_VOLUME = "u2.c1m1", "m2.c1m2"

Ask = tuple[str, str, Any]
"""A request to compute: method, path, body."""


@dataclass(slots=True)
class Killer:
    """Kills a region again and again; `moments` holds the unfinished steps met at each kill."""

    running: Region
    chance: random.Random
    longest: float
    moments: list[tuple[str, ...]] = field(default_factory=list)

    def cut(self, cloud: Cloud, asks: Sequence[Ask]) -> None:
        """Send all requests at once, kill the process at a random moment, and start it again."""
        with ThreadPoolExecutor(len(asks)) as pool:
            for ask in asks:
                pool.submit(_attempt, cloud, ask)
            time.sleep(self.chance.uniform(0, self.longest))
            self.kill()
        self.running.start()

    def kill(self) -> None:
        """Kill the process and note what it was about to do."""
        self.running.kill()
        pending = (
            "SELECT o.kind, s.name FROM operations o JOIN operation_steps s"
            " ON s.operation_id = o.id AND s.position = o.position WHERE o.ended_at IS NULL"
        )
        cut_short = rows(self.running, pending)
        self.moments.append(tuple(f"{kind}: {step}" for kind, step in cut_short))

    @property
    def met(self) -> set[str]:
        """The steps that at least one kill met."""
        return {step for moment in self.moments for step in moment}


def _attempt(cloud: Cloud, ask: Ask) -> None:
    """Send what the kill may cut short: no answer is one of the answers."""
    method, path, body = ask
    try:
        answer = cloud.request(method, "compute", path, body)
    except httpx.TransportError:
        return
    assert answer.status_code in {202, 204}, answer.text


@pytest.mark.parametrize("kills", [3, pytest.param(12, marks=pytest.mark.slow)])
def test_the_simulated_world_is_whole_after_every_kill(
    database_options: tuple[str, ...], tmp_path: Path, kills: int
) -> None:
    config = tmp_path / "hanok.toml"
    config.write_text(SLOW_STEPS)
    chance = random.Random(9)
    with region("simulated", "--config", str(config), *database_options) as running:
        first = running.cloud()
        for number in range(4):
            first.create(f"first-{number}", chance.choice((LOCAL, ON_VOLUME)))
        first.settle()
        killer = Killer(running, chance, SIMULATED_LONGEST)
        while len(killer.moments) < kills:
            cloud = running.cloud()
            killer.cut(cloud, _some(cloud, chance))
            if chance.random() < 0.3:  # again, while it takes over what the first has left
                killer.kill()
                running.start()
            _check_world(running)
        cloud = running.cloud()
        for server in cloud.servers():
            cloud.delete(server["id"])
        assert _check_world(running) == 0
    assert len(killer.met) >= min(kills, 4), f"the kills met {killer.met}"


def _some(cloud: Cloud, chance: random.Random) -> list[Ask]:
    """Two creates, and deletes of up to three of the servers that are there."""
    asks: list[Ask] = [
        ("POST", "/servers", cloud.server_body(f"s{n}", chance.choice((LOCAL, ON_VOLUME))))
        for n in range(2)
    ]
    known = [server["id"] for server in cloud.servers()]
    chosen = chance.sample(known, min(3, len(known)))
    return asks + [("DELETE", f"/servers/{server_id}", None) for server_id in chosen]


def _check_world(running: Region) -> int:
    """Wait until operations ended; count everything; return the number of servers."""
    cloud = running.cloud()
    cloud.settle()
    wanted = need(cloud)
    check_simulated(running, wanted)
    check_rows(running, wanted)
    return len(wanted.servers)


@pytest.mark.guest
def test_the_machine_is_whole_after_three_kills() -> None:
    _kill_real(random.Random(3), kills=3)


@pytest.mark.guest
@pytest.mark.slow
def test_the_machine_is_whole_after_ten_kills() -> None:
    killer = _kill_real(random.Random(10), kills=10)
    assert len(killer.met) >= 3, f"the kills met {killer.met}"


def _kill_real(chance: random.Random, kills: int) -> Killer:
    """Create and delete one server in turn, each cut short at a random moment."""
    with region("libvirt") as running:
        killer = Killer(running, chance, REAL_LONGEST)
        for number in range(kills):
            cloud = running.cloud()
            known = [server["id"] for server in cloud.servers()]
            if known:
                killer.cut(cloud, [("DELETE", f"/servers/{known[0]}", None)])
            else:
                flavor = chance.choice((LOCAL, ON_VOLUME))
                count_guest_boot(f"kill -9 in the middle of create ({flavor})")
                body = cloud.server_body(f"guest-{number}", flavor)
                killer.cut(cloud, [("POST", "/servers", body)])
            cloud = running.cloud()
            cloud.settle()
            wanted = need(cloud)
            check_real(running, wanted)
            check_rows(running, wanted)
    return killer
