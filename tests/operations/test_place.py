"""Placement as an operation's step; where a server fits is in tests/placement."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from hanok.engine.sealing import Sealer
from hanok.engine.steps import Wait, Work
from hanok.model.host import Claim, Host
from hanok.operations import place
from hanok.placement.filters import NoValidHost, Wanted
from hanok.store import hosts
from hanok.store.region_tables import hosts as hosts_table
from tests.operations.world import HOST, PROJECT, World

WANTED = Wanted(Claim(1, 1024, 10), None)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    one = World(database_url, tmp_path).open()
    yield one
    one.close()


def here(world: World) -> Host:
    with world.store.read() as reader:
        [host] = hosts.all_hosts(reader)
    return host


def claim(world: World, seen: list[Host], wanted: Wanted = WANTED, now: int = 10**18) -> Host:
    server_id = world.create(local=True)
    with world.store.write() as tx:
        work = Work(
            operation_id="o",
            project_id=PROJECT,
            server_id=server_id,
            intent={},
            key="place",
            args={},
            results={},
            secrets={},
            tx=tx,
            now=now,
            sealer=Sealer(bytes(32), os.urandom),
            seen=seen,
        )
        return place.claim(work, wanted)


def test_what_is_claimed_is_what_was_wanted_and_what_the_domain_takes_beside_it(
    world: World,
) -> None:
    with world.store.write() as tx:
        tx.run(update(hosts_table).values(accel="tcg"))
    assert claim(world, [here(world)]).id == HOST
    taken = here(world)
    assert (taken.used_vcpus, taken.used_ram_mib, taken.used_disk_gib) == (1, 1024 + 64, 10)


def test_a_snapshot_that_has_grown_old_costs_a_further_look(world: World) -> None:
    seen = [here(world)]
    with world.store.write() as tx:
        tx.run(update(hosts_table).values(vcpus=0))
    with pytest.raises(Wait) as caught:
        claim(world, seen)
    assert caught.value.seconds == place.TRIES_ON_CONFLICT
    assert world.rows()["claims"] == 0


def test_it_waits_for_hosts_that_join_and_not_for_others(world: World) -> None:
    joining, down = replace(here(world), state="joining"), replace(here(world), state="down")
    with pytest.raises(Wait) as caught:
        claim(world, [joining, down])
    assert caught.value.seconds == place.WHILE_HOSTS_JOIN
    with pytest.raises(NoValidHost, match="up dropped 1"):
        claim(world, [down])


def test_a_host_that_is_silent_for_a_moment_is_waited_for_and_no_longer(world: World) -> None:
    silent = replace(here(world), state="down", seen_at=1)
    with pytest.raises(Wait) as caught:
        claim(world, [silent], now=place.SILENCE)
    assert caught.value.seconds == place.WHILE_A_HOST_IS_SILENT
    with pytest.raises(NoValidHost, match="wait until a host answers again"):
        claim(world, [silent], now=place.SILENCE + 1)
    assert world.rows()["claims"] == 0


def test_a_silent_host_that_would_not_fit_is_not_waited_for(world: World) -> None:
    silent = replace(here(world), state="down", seen_at=1, vcpus=0)
    with pytest.raises(NoValidHost, match="vCPUs dropped 1"):
        claim(world, [silent], now=2)


def test_a_host_that_answers_is_taken_while_another_is_silent(world: World) -> None:
    silent = replace(here(world), id="44444444-4444-4444-8444-444444444444", state="down")
    assert claim(world, [silent, here(world)], now=silent.seen_at).id == HOST


def test_no_other_host_is_claimed_than_the_one_with_the_block_storage(world: World) -> None:
    elsewhere = replace(WANTED, storage=frozenset({"44444444-4444-4444-8444-444444444444"}))
    with pytest.raises(NoValidHost, match="block storage dropped 1"):
        claim(world, [here(world)], elsewhere)
    assert world.rows()["claims"] == 0
    assert claim(world, [here(world)], replace(WANTED, storage=frozenset({HOST}))).id == HOST
