from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from hanok.model.errors import Unavailable
from hanok.store.database import Database, Transaction


@pytest.fixture
def database(each_database_url: str) -> Iterator[Database]:
    one = Database(each_database_url, schema="public")
    with one.write() as tx:
        tx.run(text("CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER)"))
    yield one
    one.close()


def fail_in_a_transaction(database: Database, work: Callable[[Transaction], object]) -> None:
    with database.write() as tx:
        work(tx)
        raise KeyError


def count(database: Database) -> int:
    with database.read() as reader:
        return int(reader.scalar(text("SELECT count(*) FROM facts")))


def test_a_block_is_committed_whole_or_not_at_all(database: Database) -> None:
    with database.write() as tx:
        tx.run(text("INSERT INTO facts VALUES ('a', 1)"))
        assert count(database) == 0, "an open transaction is nobody else's business"
    assert count(database) == 1
    with pytest.raises(KeyError):
        fail_in_a_transaction(
            database, lambda tx: tx.run(text("INSERT INTO facts VALUES ('b', 1)"))
        )
    assert count(database) == 1


def test_callbacks_run_after_the_commit_and_only_then(database: Database) -> None:
    seen: list[int] = []
    with database.write() as tx:
        tx.after_commit(lambda: seen.append(count(database)))
        tx.run(text("INSERT INTO facts VALUES ('a', 1)"))
    assert seen == [1]
    with pytest.raises(KeyError):
        fail_in_a_transaction(database, lambda tx: tx.after_commit(lambda: seen.append(-1)))
    assert seen == [1]


def test_many_threads_write_and_read_without_a_lock_error(database: Database) -> None:
    """fault_64: "database is locked" never reaches a caller."""
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                with database.write() as tx:
                    tx.run(
                        text("INSERT INTO facts VALUES (:name, :value)"),
                        {"name": f"{number}-{turn}", "value": turn},
                    )
                count(database)
        except Exception as error:  # noqa: BLE001 - collected for the assertion
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert count(database) == 240


def test_what_is_committed_is_durable_at_once(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", schema="public")
    with database.read() as reader:
        assert reader.scalar(text("PRAGMA synchronous")) == 2
        assert reader.scalar(text("PRAGMA journal_mode")) == "wal"
        assert reader.scalar(text("PRAGMA foreign_keys")) == 1
    database.close()


def test_fault_65_a_database_that_fails_is_a_clean_503_and_recovers(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", schema="public")
    with database.write() as tx:
        tx.run(text("CREATE TABLE blobs (data BLOB)"))
    with database.write() as tx:
        tx.run(text("PRAGMA max_page_count = 20"))
    with pytest.raises(Unavailable), database.write() as tx:
        tx.run(text("INSERT INTO blobs VALUES (zeroblob(1000000))"))
    with database.write() as tx:
        tx.run(text("INSERT INTO blobs VALUES (zeroblob(10))"))
    with database.read() as reader:
        assert reader.scalar(text("SELECT count(*) FROM blobs")) == 1
    database.close()
