"""The first start's accounts, and the files that let them in."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hanok.app import App
from hanok.cli import credentials
from hanok.cli.client import read_openrc
from hanok.config import Config, ConfigError
from hanok.model.errors import Unauthorized

URL = "http://127.0.0.1:8774"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Identity's part of a process on a new state directory; no region is opened."""
    app = App(Config(state=tmp_path / "state", regions=("KR1", "KR2")), URL, lambda _line: None)
    yield app
    app.stop()


def first(app: App) -> list[str]:
    said: list[str] = []
    credentials.first_credentials(app, URL, said.append)
    return said


def noted(app: App) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((app.state.path / "credentials.json").read_text())
    return values


def test_the_files_let_the_member_in_and_nobody_else_read_them(app: App) -> None:
    said = first(app)
    assert len(said) == 1
    assert str(app.state.path / "openrc") in said[0]
    openrc = read_openrc((app.state.path / "openrc").read_text())
    assert openrc["OS_AUTH_URL"] == f"{URL}/v2.0"
    assert openrc["OS_REGION_NAME"] == "KR1"
    app.identity.authenticate(openrc["OS_PASSWORD"], name=openrc["OS_USERNAME"])
    project = app.identity.accounts.project(openrc["OS_TENANT_ID"])
    assert project.name == openrc["OS_TENANT_NAME"]
    clouds = (app.state.path / "clouds.yaml").read_text()
    assert "  hanok:\n" in clouds
    assert "  hanok-admin:\n" in clouds
    for name in ("openrc", "clouds.yaml", "credentials.json"):
        assert stat.S_IMODE((app.state.path / name).stat().st_mode) == 0o600


def test_a_later_start_finds_the_accounts(app: App) -> None:
    first(app)
    before = noted(app)
    (app.state.path / "openrc").unlink()
    assert first(app) == []
    assert noted(app) == before
    assert before["member"]["password"] in (app.state.path / "openrc").read_text()


def test_passwords_that_a_crash_took_are_replaced(app: App) -> None:
    """The accounts are stored; the process died before it could note their passwords."""
    app.identity.bootstrap()
    (app.state.path / "first-start").touch()
    first(app)
    for account in noted(app).values():
        app.identity.authenticate(account["password"], name=account["username"])


def test_renewed_accounts_have_their_roles_and_the_old_passwords_are_void(app: App) -> None:
    first(app)
    old = noted(app)
    accounts = app.identity.accounts
    admin = accounts.users(name="admin")[0]
    accounts.unassign(admin.id, old["admin"]["project_id"], "admin")
    accounts.change_user(admin.id, {"enabled": False})
    credentials.renew(app, app.state.path, URL, ("KR1",))
    for name, account in noted(app).items():
        app.identity.authenticate(account["password"], name=account["username"])
        with pytest.raises(Unauthorized):
            app.identity.authenticate(old[name]["password"], name=account["username"])
    assert accounts.roles(admin.id, old["admin"]["project_id"]) == {"admin"}


def test_an_account_that_was_deleted_is_named(app: App) -> None:
    first(app)
    app.identity.accounts.delete_user(app.identity.accounts.users(name="demo")[0].id)
    with pytest.raises(ConfigError, match="user demo of the first start"):
        credentials.accounts_of(app)
