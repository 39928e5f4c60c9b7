from __future__ import annotations

from typing import Any

import pytest

from hanok.api.identity.accounts import ROLES, NewUser
from hanok.api.identity.service import Proof
from hanok.model.errors import Unauthorized
from tests.api.identity.conftest import PUBLIC_URL, Api

DEFAULT = {"id": "default", "name": "Default"}


def log_in(api: Api, auth: object, query: str = "") -> Any:
    return api.call("POST", f"/v3/auth/tokens{query}", {"auth": auth})


def by_password(user: dict[str, object], password: str) -> dict[str, object]:
    return {"methods": ["password"], "password": {"user": {**user, "password": password}}}


def member(api: Api) -> dict[str, object]:
    return by_password({"id": api.made.member.id}, api.made.member_password)


def demo(api: Api) -> dict[str, object]:
    return {"project": {"id": api.made.project.id}}


def subject(token: str) -> dict[str, str]:
    return {"X-Subject-Token": token}


def test_a_log_in_gives_the_token_in_a_header(api: Api) -> None:
    answer = log_in(api, {"identity": member(api), "scope": demo(api)})
    assert answer.status_code == 201
    token = answer.json["token"]
    catalog = token.pop("catalog")
    assert token == {
        "methods": ["password"],
        "user": {
            "id": api.made.member.id,
            "name": "demo",
            "domain": DEFAULT,
            "password_expires_at": None,
        },
        "audit_ids": token["audit_ids"],
        "issued_at": "2023-11-14T22:13:20.000000Z",
        "expires_at": "2023-11-15T10:13:20.000000Z",
        "project": {"id": api.made.project.id, "name": "demo", "domain": DEFAULT},
        "is_domain": False,
        "roles": [{"id": ROLES["member"], "name": "member"}],
    }
    assert len(token["audit_ids"][0]) == 22
    assert {entry["type"] for entry in catalog} >= {"compute", "identity", "volumev3"}
    text = answer.headers["x-subject-token"]
    assert api.identity.check(text).project_id == api.made.project.id
    assert text not in answer.text


@pytest.mark.parametrize("domain", [{"id": "default"}, {"name": "Default"}])
def test_names_are_found_in_the_default_domain(api: Api, domain: dict[str, str]) -> None:
    who = by_password({"name": "demo", "domain": domain}, api.made.member_password)
    scope = {"project": {"name": "demo", "domain": domain}}
    answer = log_in(api, {"identity": who, "scope": scope}, "?nocatalog")
    assert answer.status_code == 201
    assert "catalog" not in answer.json["token"]


def test_a_domain_s_id_counts_before_its_name(api: Api) -> None:
    domain = {"id": "x", "name": "Default"}
    who = by_password({"name": "demo", "domain": domain}, api.made.member_password)
    assert log_in(api, {"identity": who, "scope": demo(api)}).status_code == 401


def test_without_a_scope_the_default_project_is_taken(api: Api) -> None:
    answer = log_in(api, {"identity": member(api)})
    assert answer.json["token"]["project"]["id"] == api.made.project.id


def test_an_unscoped_token_has_no_project_roles_or_catalog(api: Api) -> None:
    answer = log_in(api, {"identity": member(api), "scope": "unscoped"})
    assert answer.status_code == 201
    assert not {"project", "roles", "catalog"} & set(answer.json["token"])
    token = answer.headers["x-subject-token"]
    projects = api.call("GET", "/v3/auth/projects", token=token).json["projects"]
    assert [one["name"] for one in projects] == ["demo"]
    assert api.call("GET", "/v3/auth/catalog", token=token).status_code == 403


def test_an_unscoped_token_becomes_one_for_a_project(api: Api) -> None:
    plain = api.identity.issue(Proof(api.made.member.id, ("password",))).token
    grounds = {"methods": ["token"], "token": {"id": plain}}
    answer = log_in(api, {"identity": grounds, "scope": demo(api)})
    assert answer.status_code == 201
    assert answer.json["token"]["methods"] == ["token", "password"]


def test_both_methods_must_be_about_one_user(api: Api) -> None:
    both = {**member(api), "methods": ["password", "token"], "token": {"id": api.member}}
    answer = log_in(api, {"identity": both, "scope": demo(api)})
    assert answer.status_code == 201
    assert answer.json["token"]["methods"] == ["password", "token"]
    mixed = {**both, "token": {"id": api.admin}}
    assert log_in(api, {"identity": mixed, "scope": demo(api)}).status_code == 401
    half = {**both, "token": {"id": "0" * 32}}
    assert log_in(api, {"identity": half, "scope": demo(api)}).status_code == 401


@pytest.mark.parametrize(
    ("grounds", "missing"),
    [
        (None, "identity in auth"),
        ({}, "methods in identity"),
        ({"methods": []}, "methods in identity"),
        ({"methods": ["password"]}, "password in identity"),
        ({"methods": ["password"], "password": {}}, "user in password"),
        ({"methods": ["password"], "password": {"user": {"id": "x"}}}, "password in user"),
        (by_password({}, "x"), "id or name in user"),
        (by_password({"name": "demo"}, "x"), "domain in user"),
        ({"methods": ["token"]}, "token in identity"),
        ({"methods": ["token"], "token": {}}, "id in token"),
    ],
)
def test_what_is_missing_is_named(api: Api, grounds: object, missing: str) -> None:
    answer = log_in(api, {"identity": grounds})
    assert answer.status_code == 400
    assert f"Expecting to find {missing}" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "scope",
    [
        {},
        "somewhere",
        {"project": {}},
        {"project": {"name": "demo"}},
        {"project": {"id": "x"}, "domain": {"id": "default"}},
        {"domain": {"id": "default"}, "system": {"all": True}},
        {"project": "demo"},
        7,
    ],
)
def test_a_scope_that_cannot_be_read_is_a_400(api: Api, scope: object) -> None:
    assert log_in(api, {"identity": member(api), "scope": scope}).status_code == 400


@pytest.mark.parametrize(
    "scope",
    [
        {"project": {"id": "none"}},
        {"project": {"name": "none", "domain": {"id": "default"}}},
        {"project": {"name": "demo", "domain": {"id": "other"}}},
        {"domain": {"id": "default"}},
        {"system": {"all": True}},
    ],
)
def test_a_scope_without_a_role_is_a_401(api: Api, scope: object) -> None:
    answer = log_in(api, {"identity": member(api), "scope": scope})
    assert answer.status_code == 401
    assert "no role" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "grounds",
    [
        by_password({"name": "demo", "domain": DEFAULT}, "wrong"),
        by_password({"name": "demo", "domain": {"id": "other"}}, "wrong"),
        by_password({"id": "none"}, "wrong"),
        {"methods": ["totp"]},
        {"methods": ["token"], "token": {"id": "0" * 32}},
    ],
)
def test_wrong_grounds_are_a_401(api: Api, grounds: object) -> None:
    answer = log_in(api, {"identity": grounds, "scope": demo(api)})
    assert answer.status_code == 401
    assert "x-subject-token" not in answer.headers


def test_a_disabled_user_is_a_401(api: Api) -> None:
    api.identity.accounts.change_user(api.made.member.id, {"enabled": False})
    assert log_in(api, {"identity": member(api), "scope": demo(api)}).status_code == 401


def test_a_token_is_shown_to_its_user_and_to_administrators(api: Api) -> None:
    issued = log_in(api, {"identity": member(api), "scope": demo(api)})
    token = issued.headers["x-subject-token"]
    for caller in (token, api.member, api.admin):
        shown = api.call("GET", "/v3/auth/tokens", token=caller, headers=subject(token))
        assert shown.status_code == 200
        assert shown.json == issued.json
        assert shown.headers["x-subject-token"] == token
    head = api.call("HEAD", "/v3/auth/tokens", token=token, headers=subject(token))
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_another_s_token_is_a_403_and_an_unknown_one_a_404(api: Api, method: str) -> None:
    path = "/v3/auth/tokens"
    forbidden = api.call(method, path, token=api.member, headers=subject(api.admin))
    assert forbidden.status_code == 403
    assert api.identity.check(api.admin).is_admin
    for unknown in ({}, subject(""), subject("0" * 32)):
        assert api.call(method, path, token=api.admin, headers=unknown).status_code == 404


@pytest.mark.parametrize("by_admin", [True, False])
def test_a_token_is_revoked(api: Api, by_admin: bool) -> None:
    token = api.token(api.made.member.id)
    caller = api.admin if by_admin else token
    answer = api.call("DELETE", "/v3/auth/tokens", token=caller, headers=subject(token))
    assert (answer.status_code, answer.content) == (204, b"")
    with pytest.raises(Unauthorized):
        api.identity.check(token)
    api.identity.check(api.member)


def test_the_catalog_is_the_token_s(api: Api) -> None:
    issued = log_in(api, {"identity": member(api), "scope": demo(api)})
    answer = api.call("GET", "/v3/auth/catalog", token=api.member)
    assert answer.json == {
        "catalog": issued.json["token"]["catalog"],
        "links": {"self": f"{PUBLIC_URL}/v3/auth/catalog"},
    }


def test_own_projects_are_those_that_can_be_used(api: Api) -> None:
    accounts = api.identity.accounts
    user = accounts.create_user(NewUser("kim"))
    for name, enabled in (("a", True), ("b", False), ("c", True)):
        project = accounts.create_project(name, enabled=enabled)
        if name != "c":
            accounts.assign(user.id, project.id, "reader")
    token = api.identity.issue(Proof(user.id, ("password",))).token
    answer = api.call("GET", "/v3/auth/projects", token=token)
    assert [one["name"] for one in answer.json["projects"]] == ["a"]
    assert answer.json["links"]["self"] == f"{PUBLIC_URL}/v3/auth/projects"
