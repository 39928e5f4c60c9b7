"""PostgreSQL sessions: who holds a lock is alive, who announces is heard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event

import psycopg
import pytest

from hanok.store.database import Database
from hanok.store.sessions import Session

pytestmark = pytest.mark.postgres
KEY = 2**55 + 1
SOON = 5.0


@pytest.fixture
def store(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url, schema="public")
    yield database
    database.close()


Join = Callable[[Callable[[], None]], Session]


@pytest.fixture
def join(store: Database) -> Iterator[Join]:
    """Open a session with the lock KEY; the function given is called for announcements."""
    sessions: list[Session] = []

    def open_one(heard: Callable[[], None]) -> Session:
        session = Session(store.url, store.schema, KEY, heard)
        sessions.append(session)
        return session

    yield open_one
    for session in sessions:
        session.close()


def held(store: Database) -> bool:
    with store.write() as tx:
        return Session.is_held(tx, KEY)


def becomes(look: Callable[[], bool]) -> bool:
    until = time.monotonic() + SOON
    while not look() and time.monotonic() < until:
        time.sleep(0.01)
    return look()


def test_a_session_holds_its_lock_until_it_is_closed(store: Database, join: Join) -> None:
    assert not held(store)
    session = join(lambda: None)
    assert session.alive()
    assert held(store)
    session.close()
    assert becomes(lambda: not held(store))
    assert not session.alive()


def test_to_ask_takes_the_lock_from_nobody(store: Database, join: Join) -> None:
    assert not held(store)
    assert not held(store), "the question's own lock ends with its transaction"
    join(lambda: None)
    assert held(store)
    assert held(store)


def test_an_announcement_is_heard_when_it_is_committed(store: Database, join: Join) -> None:
    heard = Event()
    join(heard.set)
    with suppress(RuntimeError), store.write() as tx:
        Session.notify(tx)
        raise RuntimeError
    assert not heard.wait(0.2), "what is rolled back is not announced"
    with store.write() as tx:
        Session.notify(tx)
        assert not heard.wait(0.1), "nor what is not yet committed"
    assert heard.wait(SOON)


def test_a_session_that_the_server_ended_is_not_alive_and_says_so(
    store: Database, join: Join
) -> None:
    heard = Event()
    session = join(heard.set)
    with psycopg.connect(store.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database"
            " WHERE datname = current_database())"
        )
    assert heard.wait(SOON), "whoever listened looks for work, as an announcement may be lost"
    assert becomes(lambda: not session.alive())
    assert becomes(lambda: not held(store))


def test_a_closed_session_says_nothing(join: Join) -> None:
    heard = Event()
    session = join(heard.set)
    session.close()
    assert becomes(lambda: not session.alive())
    assert not heard.is_set()
