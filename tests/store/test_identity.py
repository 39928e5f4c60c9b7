from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Table, event, text

from hanok.model.errors import Conflict
from hanok.store import identity as rows
from hanok.store.database import Database
from hanok.store.identity import NewToken, Project, User
from hanok.store.identity_tables import metadata, projects, users

NOW = 1_700_000_000_000_000
LATER = NOW + 1_000_000
HASH = bytes(range(32))
PROJECT = Project("p" * 32, "demo", "for trying", enabled=True)
USER = User("u" * 32, "kim", "", "kim@example.com", enabled=True, default_project_id=None)
TOKEN = NewToken(HASH, USER.id, PROJECT.id, "token,password", NOW, LATER)


@pytest.fixture
def database(each_database_url: str) -> Iterator[Database]:
    database = Database(each_database_url, schema="public")
    metadata.create_all(database.engine)
    with database.write() as tx:
        rows.add_project(tx, PROJECT, NOW)
        rows.add_user(tx, USER, "hash", NOW)
        rows.assign(tx, USER.id, PROJECT.id, "member")
        rows.assign(tx, USER.id, PROJECT.id, "reader")
        rows.add_token(tx, TOKEN)
    yield database
    database.close()


def valid(database: Database, now: int = NOW) -> rows.ValidToken | None:
    with database.read() as reader:
        return rows.valid_token(reader, HASH, now)


def test_a_token_stands_for_its_user_project_and_roles(database: Database) -> None:
    found = valid(database)
    assert found is not None
    assert found.methods == ("token", "password")
    who = found.credentials
    assert (who.user_id, who.user_name) == (USER.id, "kim")
    assert (who.project_id, who.project_name) == (PROJECT.id, "demo")
    assert who.roles == {"member", "reader"}
    assert (who.issued_at, who.expires_at) == (NOW, LATER)


def test_a_token_without_a_project_has_no_roles(database: Database) -> None:
    with database.write() as tx:
        rows.add_token(tx, replace(TOKEN, hash=bytes(32), project_id=None))
        found = rows.valid_token(tx, bytes(32), NOW)
    assert found is not None
    assert (found.credentials.project_id, found.credentials.roles) == ("", frozenset())


def test_the_check_is_one_statement_by_indexes(database: Database) -> None:
    seen: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, sql: str, params: Any, *_rest: object) -> None:
        seen.append((sql, params))

    valid(database)
    with database.read() as reader:
        engine = reader._connection.engine
        event.listen(engine, "before_cursor_execute", note)
        assert rows.valid_token(reader, HASH, NOW) is not None
        event.remove(engine, "before_cursor_execute", note)
        assert len(seen) == 1
        if database.is_sqlite:
            plan = reader._connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {seen[0][0]}", seen[0][1]
            )
            steps = [row[3] for row in plan]
            assert len(steps) >= 4
            assert not [step for step in steps if "SCAN" in step]


@pytest.mark.parametrize(("now", "there"), [(LATER - 1, True), (LATER, False)])
def test_a_token_ends_at_its_moment(database: Database, now: int, there: bool) -> None:
    assert (valid(database, now) is not None) is there


def test_purge_takes_expired_tokens_alone(database: Database) -> None:
    with database.write() as tx:
        rows.add_token(tx, replace(TOKEN, hash=bytes(32), expires_at=LATER + 1))
        assert rows.purge_tokens(tx, LATER) == 1
        assert rows.valid_token(tx, bytes(32), LATER) is not None


@pytest.mark.parametrize(
    "changes", [{"enabled": False}, {"password_hash": "new"}], ids=["disabled", "password"]
)
def test_a_user_s_tokens_go_with_his_grounds(
    database: Database, changes: dict[str, str | bool | None]
) -> None:
    with database.write() as tx:
        assert rows.change_user(tx, USER.id, changes)
        rows.change_user(tx, USER.id, {"enabled": True})
    assert valid(database) is None


@pytest.mark.parametrize("table", [users, projects], ids=["user", "project"])
def test_a_token_is_void_while_its_user_or_project_is_disabled(
    database: Database, table: Table
) -> None:
    """Also when the token is still there, as after an edit by hand."""
    with database.write() as tx:
        tx.run(table.update().values(enabled=False))
    assert valid(database) is None
    with database.write() as tx:
        tx.run(table.update().values(enabled=True))
    assert valid(database) is not None


def test_a_new_name_leaves_tokens_and_shows_in_them(database: Database) -> None:
    with database.write() as tx:
        rows.change_user(tx, USER.id, {"name": "lee"})
        rows.change_project(tx, PROJECT.id, {"name": "other", "enabled": True})
    found = valid(database)
    assert found is not None
    assert (found.credentials.user_name, found.credentials.project_name) == ("lee", "other")


def test_a_project_s_tokens_go_when_it_is_disabled(database: Database) -> None:
    with database.write() as tx:
        rows.change_project(tx, PROJECT.id, {"enabled": False})
        rows.change_project(tx, PROJECT.id, {"enabled": True})
    assert valid(database) is None


def test_a_token_loses_a_role_at_once_and_dies_with_the_last(database: Database) -> None:
    with database.write() as tx:
        assert rows.unassign(tx, USER.id, PROJECT.id, "member")
        assert not rows.unassign(tx, USER.id, PROJECT.id, "member")
    found = valid(database)
    assert found is not None
    assert found.credentials.roles == {"reader"}
    with database.write() as tx:
        rows.unassign(tx, USER.id, PROJECT.id, "reader")
        rows.assign(tx, USER.id, PROJECT.id, "reader")
    assert valid(database) is None


def test_deleting_takes_everything_along(database: Database) -> None:
    with database.write() as tx:
        rows.change_user(tx, USER.id, {"default_project_id": PROJECT.id})
        assert rows.delete_project(tx, PROJECT.id)
        assert not rows.delete_project(tx, PROJECT.id)
        user = rows.user(tx, USER.id)
        assert user is not None
        assert user.default_project_id is None
        assert rows.assignments(tx, user_id=None, project_id=None, role=None) == []
        assert tx.scalar(text("SELECT count(*) FROM tokens")) == 0
        assert rows.delete_user(tx, USER.id)
        assert not rows.has_users(tx)


def test_names_are_taken_once(database: Database) -> None:
    with pytest.raises(Conflict, match="demo"), database.write() as tx:
        rows.add_project(tx, replace(PROJECT, id="q" * 32), NOW)
    with pytest.raises(Conflict, match="kim"), database.write() as tx:
        rows.add_user(tx, replace(USER, id="v" * 32), "hash", NOW)
    with pytest.raises(Conflict, match="already has"), database.write() as tx:
        rows.assign(tx, USER.id, PROJECT.id, "member")
    with database.write() as tx:
        rows.add_project(tx, replace(PROJECT, id="q" * 32, name="b"), NOW)
        rows.add_user(tx, replace(USER, id="v" * 32, name="b"), "hash", NOW)
    with pytest.raises(Conflict), database.write() as tx:
        rows.change_project(tx, PROJECT.id, {"name": "b"})
    with pytest.raises(Conflict), database.write() as tx:
        rows.change_user(tx, USER.id, {"name": "b"})


def test_changing_what_is_not_there_changes_nothing(database: Database) -> None:
    with database.write() as tx:
        assert not rows.change_project(tx, "none", {"name": "x"})
        assert not rows.change_user(tx, "none", {"name": "x"})
        assert rows.project(tx, "none") is None
        assert rows.user(tx, "none") is None
        assert rows.lock_user(tx, "none") is None


def test_lists_filter_and_sort(database: Database) -> None:
    with database.write() as tx:
        rows.add_project(tx, Project("q" * 32, "alpha", "", enabled=False), NOW)
        rows.add_user(tx, replace(USER, id="v" * 32, name="an", enabled=False), "hash", NOW)

    def names(found: list[Project] | list[User]) -> list[str]:
        return [one.name for one in found]

    with database.read() as reader:
        every = {"name": None, "enabled": None, "user_id": None}
        assert names(rows.all_projects(reader, **every)) == ["alpha", "demo"]
        assert names(rows.all_projects(reader, name="demo", enabled=None, user_id=None)) == ["demo"]
        assert names(rows.all_projects(reader, name=None, enabled=False, user_id=None)) == ["alpha"]
        assert rows.all_projects(reader, name=None, enabled=None, user_id=USER.id) == [PROJECT]
        assert names(rows.all_users(reader, name=None, enabled=None)) == ["an", "kim"]
        assert rows.all_users(reader, name=None, enabled=True) == [USER]
        assert names(rows.all_users(reader, name="an", enabled=None)) == ["an"]
        assert rows.project_named(reader, "demo") == PROJECT
        found = rows.assignments(reader, user_id=USER.id, project_id=PROJECT.id, role="reader")
        assert [(one.user_name, one.project_name, one.role) for one in found] == [
            ("kim", "demo", "reader")
        ]


def test_a_login_is_found_by_id_or_name(database: Database) -> None:
    with database.read() as reader:
        by_id, by_name = rows.login(reader, user_id=USER.id), rows.login(reader, name="kim")
        assert by_id == by_name == rows.Login(USER, "hash")
        assert rows.login(reader, name="nobody") is None


def test_a_password_cannot_change_while_a_token_is_issued(database: Database) -> None:
    """The change waits for the log-in's transaction, and then ends its token, too."""
    changed = threading.Event()

    def change() -> None:
        with database.write() as tx:
            rows.change_user(tx, USER.id, {"password_hash": "new"})
        changed.set()

    other = threading.Thread(target=change)
    with database.write() as tx:
        assert rows.lock_user(tx, USER.id) is not None
        assert rows.lock_project(tx, PROJECT.id) is not None
        other.start()
        assert not changed.wait(0.2)
        rows.add_token(tx, replace(TOKEN, hash=bytes(32)))
    other.join(10)
    assert changed.is_set()
    with database.read() as reader:
        assert rows.valid_token(reader, bytes(32), NOW) is None


def test_revoking_ends_one_token(database: Database) -> None:
    with database.write() as tx:
        rows.add_token(tx, replace(TOKEN, hash=bytes(32)))
        assert rows.delete_token(tx, HASH)
        assert not rows.delete_token(tx, HASH)
        assert rows.valid_token(tx, bytes(32), NOW) is not None
