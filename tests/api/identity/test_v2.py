from __future__ import annotations

from typing import Any

import pytest

from hanok.api.identity.accounts import ROLES
from tests.api.identity.conftest import PUBLIC_URL, Api


def log_in(api: Api, auth: object) -> Any:
    return api.call("POST", "/v2.0/tokens", {"auth": auth})


def credentials(api: Api) -> dict[str, str]:
    return {"username": "demo", "password": api.made.member_password}


def test_the_guide_s_request_gets_the_guide_s_answer(api: Api) -> None:
    project = api.made.project.id
    answer = log_in(api, {"tenantId": project, "passwordCredentials": credentials(api)})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    access = answer.json["access"]
    assert set(access) == {"token", "serviceCatalog", "user", "metadata"}
    token = access["token"]
    assert token == {
        "id": token["id"],
        "expires": "2023-11-15T10:13:20Z",
        "issued_at": "2023-11-14T22:13:20.000000",
        "tenant": {
            "id": project,
            "name": "demo",
            "groupId": project,
            "description": "",
            "enabled": True,
            "project_domain": "NORMAL",
        },
    }
    assert len(bytes.fromhex(token["id"])) == 16
    assert access["user"] == {
        "id": api.made.member.id,
        "username": "demo",
        "name": "demo",
        "roles": [{"name": "member"}],
        "roles_links": [],
    }
    assert access["metadata"] == {"roles": [ROLES["member"]], "is_admin": 0}
    compute = access["serviceCatalog"][0]
    assert compute == {
        "type": "compute",
        "name": "nova",
        "endpoints": [
            {"region": region, "publicURL": f"{PUBLIC_URL}/{path}/compute/v2/{project}"}
            for region, path in (("KR1", "kr1"), ("KR2", "kr2"))
        ],
    }
    assert api.identity.check(token["id"]).project_id == project


def test_a_project_by_name_and_a_user_by_id_will_do(api: Api) -> None:
    who = {"userId": api.made.member.id, "password": api.made.member_password}
    answer = log_in(api, {"tenantName": "demo", "passwordCredentials": who})
    assert answer.json["access"]["token"]["tenant"]["id"] == api.made.project.id


def test_unknown_keys_are_ignored(api: Api) -> None:
    who = {**credentials(api), "otp": 7}
    auth = {"tenantName": "demo", "passwordCredentials": who, "region": None}
    assert log_in(api, auth).status_code == 200


def test_a_token_is_exchanged_for_another_project(api: Api) -> None:
    other = api.identity.accounts.create_project("other")
    api.identity.accounts.assign(api.made.member.id, other.id, "reader")
    answer = log_in(api, {"token": {"id": api.member}, "tenantId": other.id})
    assert answer.status_code == 200
    assert answer.json["access"]["user"]["roles"] == [{"name": "reader"}]
    assert api.identity.check(answer.json["access"]["token"]["id"]).project_id == other.id


@pytest.mark.parametrize(
    ("auth", "missing"),
    [
        ({"tenantName": "demo"}, "passwordCredentials or token in auth"),
        ({"tenantName": "demo", "passwordCredentials": {}}, "username or userId in password"),
        ({"tenantName": "demo", "passwordCredentials": {"username": "demo"}}, "password in pass"),
        ({"tenantName": "demo", "passwordCredentials": {"password": "x"}}, "username or userId"),
        ({"tenantName": "demo", "token": {}}, "id in token"),
        ({"passwordCredentials": {"username": "a", "password": "b"}}, "tenantId or tenantName"),
        ({"tenantId": "", "passwordCredentials": {"username": "a", "password": "b"}}, "tenantId"),
        (None, "auth in request body"),
    ],
)
def test_what_is_missing_is_named(api: Api, auth: object, missing: str) -> None:
    answer = log_in(api, auth)
    assert answer.status_code == 400
    assert f"Expecting to find {missing}" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "part",
    [
        {"passwordCredentials": {"username": "demo", "password": "wrong"}},
        {"passwordCredentials": {"username": "nobody", "password": "wrong"}},
        {"token": {"id": "0" * 32}},
        {"token": {"id": ""}},
    ],
)
def test_wrong_credentials_are_a_401(api: Api, part: dict[str, object]) -> None:
    answer = log_in(api, {"tenantName": "demo", **part})
    assert answer.status_code == 401
    assert answer.json == {
        "error": {
            "code": 401,
            "message": "The request you have made requires authentication.",
            "title": "Unauthorized",
        }
    }
    assert answer.headers["www-authenticate"] == f'Keystone uri="{PUBLIC_URL}"'


def test_no_role_no_project_and_disabled_are_a_403(api: Api) -> None:
    who = {"passwordCredentials": credentials(api)}
    api.identity.accounts.create_project("strange")
    for name in ("strange", "none"):
        answer = log_in(api, {"tenantName": name, **who})
        assert answer.status_code == 403
        assert answer.json["error"]["title"] == "Forbidden"
    api.identity.accounts.change_project(api.made.project.id, {"enabled": False})
    assert log_in(api, {"tenantName": "demo", **who}).status_code == 403
    api.identity.accounts.change_project(api.made.project.id, {"enabled": True})
    assert log_in(api, {"tenantName": "demo", **who}).status_code == 200
    api.identity.accounts.change_user(api.made.member.id, {"enabled": False})
    assert log_in(api, {"tenantName": "demo", **who}).status_code == 403


def test_tenants_are_the_caller_s_own(api: Api) -> None:
    api.identity.accounts.create_project("strange")
    off = api.identity.accounts.create_project("off", enabled=False)
    api.identity.accounts.assign(api.made.member.id, off.id, "member")
    answer = api.call("GET", "/v2.0/tenants", token=api.member)
    assert [one["name"] for one in answer.json["tenants"]] == ["demo"]
    assert answer.json["tenants_links"] == []


def test_other_methods_are_a_405(api: Api) -> None:
    answer = api.call("GET", "/v2.0/tokens")
    assert answer.status_code == 405
    assert answer.json["error"]["title"] == "Method Not Allowed"
