"""Requests that race for the last place of a quota, through the handlers, on both databases."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from hanok.model.errors import QuotaExceeded
from hanok.store import network_quotas, quotas
from tests.operations.world import PROJECT, World

REQUESTS = 20
REFUSED = re.compile("Quota exceeded|Maximum number of ports exceeded")


@pytest.fixture
def world(each_database_url: str, tmp_path: Path) -> Iterator[World]:
    one = World(each_database_url, tmp_path).open()
    yield one
    one.close()


def at_once(ask: Callable[[], object]) -> Counter[str]:
    """Ask from many threads at the same moment; count who passes and who is refused."""
    return all_at_once([ask] * REQUESTS)


def all_at_once(asks: Sequence[Callable[[], object]]) -> Counter[str]:
    """Ask each from a thread of its own at the same moment; count as `at_once`."""
    barrier = Barrier(len(asks))

    def one(ask: Callable[[], object]) -> str:
        barrier.wait(30)
        try:
            ask()
        except QuotaExceeded as error:
            return "refused" if REFUSED.match(error.message) else error.message
        return "passed"

    with ThreadPoolExecutor(len(asks)) as threads:
        return Counter(threads.map(one, asks))


def cores(world: World) -> int:
    with world.store.read() as reader:
        return quotas.usage_of(reader, PROJECT).cores


@pytest.mark.parametrize(
    ("limits", "there"),
    [({"instances": 4}, 3), ({"cores": 4}, 3), ({"ram_mib": 4096}, 3), ({"instances": 1}, 0)],
)
def test_fault_29_exactly_one_of_twenty_passes_at_the_limit_less_one(
    world: World, limits: dict[str, int], there: int
) -> None:
    free = {"instances": -1, "cores": -1, "ram_mib": -1}
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {**free, **limits})
    for _ in range(there):
        world.create(local=True)
    assert at_once(lambda: world.create(local=True)) == {"passed": 1, "refused": REQUESTS - 1}
    world.start()
    world.settle()
    with world.store.read() as reader:
        used = quotas.usage_of(reader, PROJECT)
    assert used.instances == there + 1
    assert world.reality()["domains"] == there + 1, "who was refused has left nothing"


def test_fault_29_a_request_for_several_takes_what_is_left_and_never_more(world: World) -> None:
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"instances": 7, "cores": -1, "ram_mib": -1})
    several: dict[str, Any] = {"min_count": 1, "max_count": 2}
    counted = at_once(lambda: world.create(local=True, **several))
    with world.store.read() as reader:
        assert quotas.usage_of(reader, PROJECT).instances == 7
    assert counted["passed"] == 4, "three took two each, the fourth what was left"


@pytest.mark.parametrize("running", [False, True])
def test_fault_29_one_of_several_resizes_passes_and_creates_do_not_take_its_place(
    world: World, running: bool
) -> None:
    """A resize in hand holds what it will take, whether its steps have run or not."""
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"instances": -1, "cores": -1, "ram_mib": -1})
    world.start()
    made = [world.create() for _ in range(4)]
    world.settle()
    if not running:
        world.engine.stop()
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"cores": 5})
    larger = {"flavorRef": world.flavor(local=False, number=2)}
    resizes = [partial(world.act, one, "resize", larger) for one in made]
    assert all_at_once(resizes) == {"passed": 1, "refused": 3}
    assert at_once(lambda: world.create(local=True)) == {"refused": REQUESTS}
    if running:
        world.settle()
    assert cores(world) == 5


def test_fault_29_resizes_creates_and_deletes_together_stay_within_the_limit(world: World) -> None:
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"instances": -1, "cores": 6, "ram_mib": -1})
    world.start()
    made = [world.create() for _ in range(5)]
    world.settle()
    larger = {"flavorRef": world.flavor(local=False, number=2)}
    seen = []

    def look(ask: Callable[[], object]) -> Callable[[], object]:
        def asked() -> None:
            try:
                ask()
            finally:
                seen.append(cores(world))

        return asked

    counted = all_at_once(
        [
            *[look(partial(world.act, one, "resize", larger)) for one in made[:3]],
            *[look(partial(world.delete, one)) for one in made[3:]],
            *[look(lambda: world.create(local=True)) for _ in range(10)],
        ]
    )
    assert counted["passed"] + counted["refused"] == 15
    world.settle()
    assert max(*seen, cores(world)) <= 6


@pytest.mark.parametrize("running", [False, True])
def test_fault_29_servers_take_their_ports_of_the_quota_when_they_are_asked_for(
    world: World, running: bool
) -> None:
    """The ports themselves are made later, by the operations."""
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"instances": -1, "cores": -1, "ram_mib": -1})
        network_quotas.change(tx, PROJECT, {"port": 3})
    if running:
        world.start()
    pair: dict[str, Any] = {"min_count": 1, "max_count": 2}
    counted = at_once(lambda: world.create(local=True, **pair))
    assert counted == {"passed": 2, "refused": REQUESTS - 2}, "one took two, one what was left"
    if not running:
        world.start()
    world.settle()
    assert (world.rows()["ports"], world.reality()["domains"]) == (3, 3)


def test_fault_29_ports_of_servers_that_fail_or_go_are_free_again(world: World) -> None:
    with world.store.write() as tx:
        network_quotas.change(tx, PROJECT, {"port": 1})
    world.start()
    with world.misbehaving(failures=[{"verb": "network.plug", "permanent": True}]):
        failed = world.create(local=True)
        world.settle()
    world.delete(world.create(local=True))
    world.settle()
    assert world.create(local=True)
    world.delete(failed)
    world.settle()
    assert at_once(lambda: world.create(local=True)) == {"refused": REQUESTS}
