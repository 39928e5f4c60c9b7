"""Who is alive: on SQLite the process that holds the directory, on PostgreSQL who holds a lock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from hanok.engine.clock import SystemClock, VirtualClock
from hanok.engine.presence import Presence
from hanok.engine.steps import ControlStep, HostCall, HostStep, Operation
from hanok.model.moments import SECOND
from hanok.store import incarnations, journal
from hanok.store.database import Database
from tests.engine.world import ToyWorld, open_store
from tests.region_store import MINE, uuid

SOON = 1.0
"""Seconds in which an announcement must have done its work; the next look comes after 5."""
ADVISORY = (
    "FROM pg_locks WHERE locktype = 'advisory'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
Join = Callable[..., Presence]


@pytest.fixture
def store(postgres_url: str) -> Iterator[Database]:
    database = open_store(postgres_url)
    yield database
    database.close()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def join(store: Database, clock: VirtualClock) -> Iterator[Join]:
    """A presence that has entered; it leaves at the end."""
    made: list[Presence] = []

    def enter(heard: Callable[[], None] = lambda: None) -> Presence:
        presence = Presence(store, clock, heard)
        presence.enter()
        made.append(presence)
        return presence

    yield enter
    for presence in made:
        presence.leave()


def own(store: Database, presence: Presence, number: int) -> None:
    """Give a presence an operation that is under way."""
    values: dict[str, Any] = {
        "id": uuid(number),
        "kind": "toy@1",
        "state": "queued",
        "project_id": MINE,
        "server_id": None,
        "args": {},
        "subjects": [f"server:{number}"],
        "secrets": None,
        "place": "control",
        "run_at": 0,
        "deadline_at": 2**60,
        "submitted_at": 0,
    }
    with store.write() as tx:
        journal.submit(tx, values, [])
        assert journal.claim(tx, presence.id, ["control"], 1) is not None


def owner(store: Database, number: int) -> str | None:
    with store.read() as reader:
        row = journal.get(reader, uuid(number))
    assert row is not None
    return row.owner


def known(store: Database) -> set[str]:
    with store.read() as reader:
        return {row.id for row in incarnations.registered(reader)}


def locks(store: Database) -> int:
    """The sessions that the server believes alive."""
    with store.read() as reader:
        return int(reader.scalar(text(f"SELECT count(*) {ADVISORY}")))


def becomes(look: Callable[[], bool], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while not look() and time.monotonic() < until:
        time.sleep(0.01)
    return look()


def cut_sessions(store: Database) -> None:
    """End every session that holds a lock, as a failover of the database does."""
    with psycopg.connect(store.url, autocommit=True) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid) {ADVISORY}")


def test_on_sqlite_whoever_enters_is_alone(sqlite_url: str, clock: VirtualClock) -> None:
    """The directory's lock has proved the others dead before."""
    store = open_store(sqlite_url)
    first, second = (Presence(store, clock, lambda: None) for _ in range(2))
    first.enter()
    own(store, first, 1)
    second.enter()
    assert owner(store, 1) is None
    with store.write() as tx:
        assert journal.claim(tx, second.id, ["control"], 1) is not None
    clock.advance(60 * SECOND)
    second.check()
    assert owner(store, 1) == second.id
    with store.write() as tx:
        second.announce(tx)
    second.leave()
    store.close()


@pytest.mark.postgres
def test_two_live_processes_leave_each_other_s_operations_alone(
    store: Database, join: Join, clock: VirtualClock
) -> None:
    first = join()
    own(store, first, 1)
    second = join()
    own(store, second, 2)
    for _ in range(2):
        clock.advance(6 * SECOND)
        first.check()
        second.check()
    assert (owner(store, 1), owner(store, 2)) == (first.id, second.id)
    assert known(store) == {first.id, second.id}


@pytest.mark.postgres
def test_a_dead_process_is_swept_and_its_operations_are_free(
    store: Database, join: Join, clock: VirtualClock
) -> None:
    first, second = join(), join()
    own(store, first, 1)
    own(store, second, 2)
    first.leave()
    assert becomes(lambda: locks(store) == 1)
    clock.advance(6 * SECOND)
    second.check()
    assert (owner(store, 1), owner(store, 2)) == (None, second.id)
    assert known(store) == {second.id}


@pytest.mark.postgres
def test_who_enters_takes_over_from_the_dead_at_once(store: Database, join: Join) -> None:
    first = join()
    own(store, first, 1)
    first.leave()
    assert becomes(lambda: locks(store) == 0)
    third = join()
    assert owner(store, 1) is None
    assert known(store) == {third.id}


@pytest.mark.postgres
def test_it_looks_every_few_seconds_and_not_more_often(
    store: Database, join: Join, clock: VirtualClock
) -> None:
    first, second = join(), join()
    second.check()
    own(store, first, 1)
    first.leave()
    assert becomes(lambda: locks(store) == 1)
    for _ in range(10):
        second.check()
    assert owner(store, 1) == first.id
    clock.advance(6 * SECOND)
    second.check()
    assert owner(store, 1) is None


@pytest.mark.postgres
def test_fault_65_a_lost_session_makes_another_incarnation_of_us(
    store: Database, join: Join, clock: VirtualClock
) -> None:
    """What the old one owned may have been taken over meanwhile; it is fenced off."""
    heard = Event()
    presence = join(heard.set)
    old = presence.id
    own(store, presence, 1)
    cut_sessions(store)
    assert heard.wait(5), "it looks at once"

    def renewed() -> bool:
        clock.advance(6 * SECOND)
        presence.check()
        return presence.id != old

    assert becomes(renewed)
    assert becomes(lambda: renewed() and owner(store, 1) is None)
    assert known(store) == {presence.id}
    heard.clear()
    with store.write() as tx:
        presence.announce(tx)
    assert heard.wait(SOON), "the new session listens"


@pytest.mark.postgres
def test_an_announcement_reaches_the_others_within_a_second(store: Database, join: Join) -> None:
    heard = Event()
    first, _second = join(), join(heard.set)
    with store.write() as tx:
        first.announce(tx)
        assert not heard.wait(0.1), "not before there is something to see"
    assert heard.wait(SOON)


@pytest.mark.postgres
def test_work_goes_from_one_process_to_another_and_back_within_a_second(
    postgres_url: str, tmp_path: Path
) -> None:
    """A fleet: one process has the control place, the other the host; nobody polls."""
    world = ToyWorld(postgres_url, tmp_path)
    world.clock = SystemClock()  # type: ignore[assignment]
    did: list[str] = []
    toy = Operation(
        "toy",
        1,
        (
            ControlStep("before", lambda _work: did.append("before")),
            HostStep("there", lambda _view: HostCall("host-1", "make", {})),
            ControlStep("after", lambda work: did.append(str(work.results["there"]))),
        ),
        world.settle,
        60,
    )
    world.perform = lambda host, *_: host
    control, agent = world.engine(toy), world.engine(toy)
    try:
        control.start()
        agent.start(control_threads=1)
        agent.serve("host-1")
        time.sleep(0.3)
        times = []
        for _ in range(3):
            began = time.monotonic()
            assert (
                world.wait(world.submit(control, toy, "before", "there", "after")).state == "done"
            )
            times.append(time.monotonic() - began)
        assert did == ["before", "host-1"] * 3
        assert max(times) < SOON
    finally:
        world.close()
