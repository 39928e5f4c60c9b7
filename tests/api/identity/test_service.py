from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import text

from hanok.api.identity.accounts import Bootstrap
from hanok.api.identity.service import AUTHENTICATE, Identity, ProjectReference, Proof
from hanok.engine.clock import VirtualClock
from hanok.model.errors import Forbidden, NotFound, Unauthorized
from hanok.model.moments import SECOND
from hanok.store.database import Database

HALF_A_DAY = 43_200 * SECOND


def scope(made: Bootstrap) -> ProjectReference:
    return ProjectReference(id=made.project.id)


def member_token(identity: Identity, made: Bootstrap) -> str:
    return identity.issue(Proof(made.member.id, ("password",)), scope(made)).token


def test_log_in_gives_a_token_that_checks(identity: Identity, made: Bootstrap) -> None:
    proof = identity.authenticate(made.member_password, name="demo")
    assert proof == identity.authenticate(made.member_password, user_id=made.member.id)
    issued = identity.issue(proof, scope(made))
    assert issued.project == made.project
    who = identity.check(issued.token)
    assert who == issued.valid.credentials
    assert (who.user_id, who.project_id) == (made.member.id, made.project.id)
    assert who.roles == {"member"}
    assert not who.is_admin
    assert who.expires_at - who.issued_at == HALF_A_DAY


def test_a_project_is_found_by_name(identity: Identity, made: Bootstrap) -> None:
    proof = Proof(made.admin.id, ("password",))
    issued = identity.issue(proof, ProjectReference(name=made.project.name))
    assert issued.project == made.project
    assert identity.check(issued.token).is_admin


@pytest.mark.parametrize(
    ("who", "password"),
    [
        ({"name": "demo"}, "wrong"),
        ({"name": "demo"}, ""),
        ({"name": "nobody"}, "wrong"),
        ({"user_id": "nobody"}, "wrong"),
        ({}, "wrong"),
    ],
)
def test_wrong_credentials_are_refused_alike(
    identity: Identity, made: Bootstrap, who: dict[str, str], password: str
) -> None:
    assert made.member.name == "demo"
    with pytest.raises(Unauthorized) as refused:
        identity.authenticate(password, **who)
    assert refused.value.message == AUTHENTICATE


@pytest.mark.parametrize("token", ["", "x", "0" * 32, "\ud7ff", "a" * 100_000])
def test_an_unknown_token_is_refused(identity: Identity, token: str) -> None:
    with pytest.raises(Unauthorized, match=AUTHENTICATE):
        identity.check(token)
    with pytest.raises(NotFound):
        identity.examine(token)
    with pytest.raises(Unauthorized):
        identity.authenticate_token(token)


def test_only_the_hash_of_a_token_is_stored(
    identity: Identity, made: Bootstrap, database: Database
) -> None:
    token = member_token(identity, made)
    assert len(bytes.fromhex(token)) == 16
    with database.read() as reader:
        stored = [bytes(row[0]) for row in reader.rows(text("SELECT hash FROM tokens"))]
    assert stored == [hashlib.sha256(token.encode()).digest()]


def test_a_token_expires(identity: Identity, made: Bootstrap, clock: VirtualClock) -> None:
    token = member_token(identity, made)
    clock.advance(HALF_A_DAY - 1)
    identity.check(token)
    clock.advance(1)
    with pytest.raises(Unauthorized):
        identity.check(token)


def test_expired_tokens_are_purged_by_a_later_log_in(
    identity: Identity, made: Bootstrap, clock: VirtualClock, database: Database
) -> None:
    member_token(identity, made)
    member_token(identity, made)
    clock.advance(HALF_A_DAY)
    last = member_token(identity, made)
    with database.read() as reader:
        assert reader.scalar(text("SELECT count(*) FROM tokens")) == 1
    identity.check(last)


def test_a_revoked_token_is_refused_from_then_on(identity: Identity, made: Bootstrap) -> None:
    token, other = member_token(identity, made), member_token(identity, made)
    identity.check(token)
    identity.revoke(token)
    identity.revoke(token)
    with pytest.raises(Unauthorized):
        identity.check(token)
    identity.check(other)


def test_a_new_password_voids_tokens_and_the_old_password(
    identity: Identity, made: Bootstrap
) -> None:
    token = member_token(identity, made)
    early = identity.authenticate(made.member_password, name="demo")
    identity.accounts.change_user(made.member.id, {}, password="new")
    with pytest.raises(Unauthorized):
        identity.check(token)
    with pytest.raises(Unauthorized):
        identity.issue(early, scope(made))
    with pytest.raises(Unauthorized):
        identity.authenticate(made.member_password, name="demo")
    identity.issue(identity.authenticate("new", name="demo"), scope(made))


def test_a_disabled_user_is_out(identity: Identity, made: Bootstrap) -> None:
    token = member_token(identity, made)
    identity.accounts.change_user(made.member.id, {"enabled": False})
    with pytest.raises(Unauthorized):
        identity.check(token)
    with pytest.raises(Forbidden, match="disabled"):
        identity.authenticate(made.member_password, name="demo")
    with pytest.raises(Unauthorized):
        identity.authenticate("wrong", name="demo")
    with pytest.raises(Forbidden, match="disabled"):
        member_token(identity, made)


def test_a_disabled_project_is_closed(identity: Identity, made: Bootstrap) -> None:
    token = member_token(identity, made)
    identity.accounts.change_project(made.project.id, {"enabled": False})
    with pytest.raises(Unauthorized):
        identity.check(token)
    with pytest.raises(Forbidden, match="project is disabled"):
        member_token(identity, made)


def test_a_strange_project_and_none_are_refused_alike(identity: Identity, made: Bootstrap) -> None:
    strange = identity.accounts.create_project("strange")
    proof = Proof(made.member.id, ("password",))
    said = set()
    for reference in (
        ProjectReference(id=strange.id),
        ProjectReference(name="strange"),
        ProjectReference(id="none"),
        ProjectReference(name="none"),
        ProjectReference(),
    ):
        with pytest.raises(Forbidden) as refused:
            identity.issue(proof, reference)
        said.add(refused.value.message)
    assert said == {"The user has no role in the project."}


def test_a_token_makes_a_token_that_lives_no_longer(
    identity: Identity, made: Bootstrap, clock: VirtualClock
) -> None:
    other = identity.accounts.create_project("other")
    identity.accounts.assign(made.member.id, other.id, "reader")
    first = member_token(identity, made)
    end = identity.check(first).expires_at
    clock.advance(HALF_A_DAY // 2)
    proof = identity.authenticate_token(first)
    again = identity.issue(proof, ProjectReference(id=other.id))
    assert again.valid.methods == ("token", "password")
    who = identity.check(again.token)
    assert (who.project_id, who.roles, who.expires_at) == (other.id, frozenset({"reader"}), end)
    third = identity.issue(identity.authenticate_token(again.token), scope(made))
    assert third.valid.methods == ("token", "password")


def test_a_token_revoked_meanwhile_proves_nothing(identity: Identity, made: Bootstrap) -> None:
    token = member_token(identity, made)
    proof = identity.authenticate_token(token)
    identity.revoke(token)
    with pytest.raises(Unauthorized):
        identity.issue(proof, scope(made))


def test_proofs_of_one_user_add_up() -> None:
    by_password = Proof("u", ("password",), password_hash="h")
    by_token = Proof("u", ("token", "password"), token_hash=b"t", expires_at=7)
    both = Proof("u", ("password", "token"), "h", b"t", 7)
    assert by_password.with_(by_token) == both


def test_without_a_scope_the_default_project_is_tried(identity: Identity, made: Bootstrap) -> None:
    proof = Proof(made.member.id, ("password",))
    assert identity.issue(proof, or_default=True).project == made.project
    plain = identity.issue(proof)
    assert plain.project is None
    assert identity.check(plain.token).roles == frozenset()
    identity.accounts.unassign(made.member.id, made.project.id, "member")
    assert identity.issue(proof, or_default=True).project is None


def test_bootstrap_makes_a_project_and_two_users_once(identity: Identity, made: Bootstrap) -> None:
    assert identity.bootstrap(project="again", member="again", admin="boss") is None
    assert [project.name for project in identity.accounts.projects()] == ["demo"]
    for password in (made.member_password, made.admin_password):
        assert len(bytes.fromhex(password)) == 16
    assert made.member_password != made.admin_password
    roles = identity.accounts.assignments()
    assert {(one.user_name, one.role) for one in roles} == {("demo", "member"), ("admin", "admin")}
    proof = identity.authenticate(made.admin_password, name="admin")
    assert identity.check(identity.issue(proof, scope(made)).token).is_admin
