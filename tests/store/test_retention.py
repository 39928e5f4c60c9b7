from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from hanok.store import journal, retention, servers
from hanok.store.database import Database, Reader
from hanok.store.region_tables import operation_steps
from tests.region_store import NOW, a_server, region_store, uuid
from tests.store.test_journal import a_step, end, must_claim, submit


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


def ended(
    store: Database, number: int, at: int, state: str = "done", server: int | None = None
) -> None:
    """An operation of two steps that has ended."""
    with store.write() as tx:
        steps = [a_step(number, 0), a_step(number, 1)]
        submit(tx, number, steps=steps, server_id=None if server is None else uuid(server))
        end(tx, must_claim(tx), state, at)


def steps(reader: Reader) -> list[str]:
    column = operation_steps.c.operation_id
    return [str(row.operation_id) for row in reader.rows(select(column).order_by(column))]


def test_operations_go_after_their_servers_and_with_their_steps(store: Database) -> None:
    with store.write() as tx:
        servers.add(tx, a_server(1))
        servers.add(tx, a_server(2, terminated_at=NOW - 1))
    ended(store, 1, NOW - 9, server=1)
    ended(store, 2, NOW - 9, server=2)
    ended(store, 3, NOW - 9, "stuck", server=2)
    with store.write() as tx:
        assert retention.old_operations(tx, NOW) == []
        assert servers.purge(tx, NOW) == 1
        old = retention.old_operations(tx, NOW)
        assert old == [uuid(2), uuid(3)]
        retention.forget(tx, old)
        assert retention.old_operations(tx, NOW) == []
        assert steps(tx) == [uuid(1)] * 2
        assert [one.id for one in journal.of_server(tx, uuid(1))] == [uuid(1)]


def test_of_others_those_stay_that_are_new_or_stuck_or_have_not_ended(store: Database) -> None:
    ended(store, 1, NOW - 1)
    ended(store, 2, NOW)
    ended(store, 3, NOW - 1, "stuck")
    ended(store, 4, NOW - 1, "undone")
    with store.write() as tx:
        submit(tx, 5, "volume:5", steps=[a_step(5, 0)])
        old = retention.old_operations(tx, NOW)
        assert old == [uuid(1), uuid(4)]
        retention.forget(tx, old)
        assert steps(tx) == [uuid(2), uuid(2), uuid(3), uuid(3), uuid(5)]
        assert must_claim(tx).id == uuid(5)
