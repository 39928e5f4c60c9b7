from __future__ import annotations

import pytest

from hanok.api.identity.accounts import ROLES, Bootstrap, NewUser
from hanok.api.identity.service import Identity
from hanok.engine.clock import VirtualClock
from hanok.model.errors import Conflict, Invalid, NotFound, Unauthorized
from hanok.store.database import Database


def test_ids_are_32_hexadecimal_digits(identity: Identity, made: Bootstrap) -> None:
    for one in (made.project.id, made.member.id, made.admin.id, *ROLES.values()):
        assert len(bytes.fromhex(one)) == 16


def test_projects_are_made_changed_and_deleted(identity: Identity) -> None:
    accounts = identity.accounts
    project = accounts.create_project("web", description="shop", enabled=False)
    assert accounts.project(project.id) == project
    changed = accounts.change_project(project.id, {"name": "shop", "enabled": True})
    assert (changed.name, changed.description, changed.enabled) == ("shop", "shop", True)
    assert accounts.change_project(project.id, {}) == changed
    assert accounts.projects(name="shop") == [changed]
    accounts.delete_project(project.id)
    assert accounts.projects() == []


def test_users_are_made_changed_and_deleted(identity: Identity, made: Bootstrap) -> None:
    accounts = identity.accounts
    user = accounts.create_user(NewUser("kim", "secret", email="kim@example.com"))
    assert accounts.user(user.id) == user
    assert identity.authenticate("secret", name="kim").user_id == user.id
    changed = accounts.change_user(user.id, {"default_project_id": made.project.id, "name": "lee"})
    assert (changed.name, changed.default_project_id) == ("lee", made.project.id)
    assert accounts.users(name="lee") == [changed]
    accounts.delete_user(user.id)
    with pytest.raises(NotFound):
        accounts.user(user.id)


def test_a_user_without_a_password_cannot_log_in(identity: Identity) -> None:
    identity.accounts.create_user(NewUser("kim"))
    with pytest.raises(Unauthorized):
        identity.authenticate("", name="kim")


def test_taken_names_are_refused(identity: Identity, made: Bootstrap) -> None:
    accounts = identity.accounts
    with pytest.raises(Conflict):
        accounts.create_project(made.project.name)
    with pytest.raises(Conflict):
        accounts.create_user(NewUser(made.member.name))
    with pytest.raises(Conflict):
        accounts.change_user(made.member.id, {"name": made.admin.name})


def test_what_is_not_there_is_not_found(identity: Identity, made: Bootstrap) -> None:
    accounts, user, project = identity.accounts, made.member.id, made.project.id
    for call in (
        lambda: accounts.project("none"),
        lambda: accounts.user("none"),
        lambda: accounts.change_project("none", {"name": "x"}),
        lambda: accounts.change_project("none", {}),
        lambda: accounts.change_user("none", {"name": "x"}),
        lambda: accounts.change_user("none", {}),
        lambda: accounts.delete_project("none"),
        lambda: accounts.delete_user("none"),
        lambda: accounts.roles("none", project),
        lambda: accounts.roles(user, "none"),
        lambda: accounts.assign("none", project, "member"),
        lambda: accounts.assign(user, "none", "member"),
        lambda: accounts.assign(user, project, "emperor"),
        lambda: accounts.unassign(user, project, "reader"),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_default_project_must_be_there(identity: Identity, made: Bootstrap) -> None:
    with pytest.raises(Invalid, match="no project"):
        identity.accounts.create_user(NewUser("kim", default_project_id="none"))
    with pytest.raises(Invalid, match="no project"):
        identity.accounts.change_user(made.member.id, {"default_project_id": "none"})
    user = identity.accounts.change_user(made.member.id, {"default_project_id": None})
    assert user.default_project_id is None


def test_roles_are_given_twice_without_harm(identity: Identity, made: Bootstrap) -> None:
    accounts, user, project = identity.accounts, made.member.id, made.project.id
    accounts.assign(user, project, "reader")
    accounts.assign(user, project, "reader")
    assert accounts.roles(user, project) == {"member", "reader"}
    accounts.unassign(user, project, "reader")
    assert accounts.roles(user, project) == {"member"}
    assert [one.role for one in accounts.assignments(user_id=user)] == ["member"]
    assert accounts.assignments(role="reader", project_id=project) == []


def test_a_project_in_use_stays(database: Database, clock: VirtualClock) -> None:
    used: set[str] = set()
    accounts = Identity(database, clock, in_use=used.__contains__).accounts
    project = accounts.create_project("web")
    used.add(project.id)
    with pytest.raises(Conflict, match="still owns"):
        accounts.delete_project(project.id)
    used.clear()
    accounts.delete_project(project.id)


def test_replacing_a_password_takes_the_old_one(identity: Identity, made: Bootstrap) -> None:
    accounts, user = identity.accounts, made.member.id
    with pytest.raises(Unauthorized):
        accounts.replace_password(user, "wrong", "new")
    with pytest.raises(Unauthorized):
        accounts.replace_password("none", "wrong", "new")
    accounts.replace_password(user, made.member_password, "new")
    assert identity.authenticate("new", user_id=user).user_id == user
