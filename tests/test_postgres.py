"""The tests' own PostgreSQL is what the store's tests take it for."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from tests.postgres import (
    SETTINGS,
    PostgresMissingError,
    PostgresServer,
    PostgresStartError,
    newest_programs,
    postgres_server,
)

pytestmark = pytest.mark.postgres


def setting(url: str, name: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("round_", [1, 2])
def test_each_test_gets_an_empty_database(postgres_url: str, round_: int) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE kept (round integer)")
        connection.execute("INSERT INTO kept VALUES (%s)", [round_])
        assert connection.execute("SELECT round FROM kept").fetchall() == [(round_,)]


def test_a_database_goes_even_while_somebody_is_connected(postgres: PostgresServer) -> None:
    url = postgres.create_database("busy")
    connection = psycopg.connect(url)
    postgres.drop_database("busy")
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


def test_it_hears_no_network_and_speaks_as_hanok_needs(postgres_url: str) -> None:
    names = ("listen_addresses", "server_encoding", "TimeZone")
    assert [setting(postgres_url, name) for name in names] == ["", "UTF8", "UTC"]


def test_one_that_is_durable_keeps_what_it_commits(postgres_url: str) -> None:
    names = ("fsync", "full_page_writes", "synchronous_commit")
    assert [setting(postgres_url, name) for name in names] == ["off", "off", "on"]
    with postgres_server() as server:
        assert [setting(server.url(), name) for name in names] == ["on", "on", "on"]


def test_it_does_not_run_as_root(postgres: PostgresServer) -> None:
    assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0


def test_a_database_is_emptied_even_while_somebody_is_connected(postgres: PostgresServer) -> None:
    url = postgres.create_database("full")
    connection = psycopg.connect(url)
    connection.execute("CREATE SCHEMA other")
    connection.execute("CREATE TABLE other.kept (round integer)")
    connection.commit()
    postgres.empty_database("full")
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()
    with psycopg.connect(url) as again:
        found = again.execute("SELECT to_regclass('other.kept'), to_regnamespace('public')")
        kept, public = found.fetchone() or ("", "")
        assert (kept, str(public)) == (None, "public")
    postgres.drop_database("full")


def test_it_stops_and_leaves_nothing() -> None:
    with postgres_server() as server:
        os.kill(server.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)
    assert not server.folder.exists()


def test_a_server_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "max_connections", "-1")
    with pytest.raises(PostgresStartError, match="max_connections"), postgres_server():
        pytest.fail("it started")


def test_the_newest_version_is_taken(tmp_path: Path) -> None:
    for version in ("9", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    (tmp_path / "18" / "bin").mkdir(parents=True)  # a client alone
    assert newest_programs(tmp_path) == tmp_path / "17" / "bin"


def test_no_version_is_said(tmp_path: Path) -> None:
    with pytest.raises(PostgresMissingError, match="no PostgreSQL server"):
        newest_programs(tmp_path)
