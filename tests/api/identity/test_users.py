from __future__ import annotations

from typing import Any

import pytest

from hanok.model.errors import Unauthorized
from tests.api.identity.conftest import PUBLIC_URL, Api


def make(api: Api, **values: object) -> Any:
    return api.call("POST", "/v3/users", {"user": values}, token=api.admin)


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return [user["name"] for user in answer.json["users"]]


def test_a_user_is_made_as_keystone_writes_one(api: Api) -> None:
    project = api.made.project.id
    email = "kim@example.com"
    answer = make(api, name="kim", password="secret", email=email, default_project_id=project)
    assert answer.status_code == 201
    user = answer.json["user"]
    assert user == {
        "id": user["id"],
        "name": "kim",
        "description": "",
        "email": email,
        "default_project_id": project,
        "enabled": True,
        "domain_id": "default",
        "options": {},
        "password_expires_at": None,
        "links": {"self": f"{PUBLIC_URL}/v3/users/{user['id']}"},
    }
    shown = api.call("GET", f"/v3/users/{user['id']}", token=api.admin)
    assert shown.json == answer.json
    assert api.identity.authenticate("secret", name="kim").user_id == user["id"]


def test_users_are_listed(api: Api) -> None:
    assert "email" not in make(api, name="off", enabled=False).json["user"]
    for query, expected in {
        "": ["admin", "demo", "off"],
        "?name=demo": ["demo"],
        "?enabled=0": ["off"],
        "?domain_id=other": [],
    }.items():
        assert names(api.call("GET", f"/v3/users{query}", token=api.admin)) == expected


def test_a_user_sees_himself_alone(api: Api) -> None:
    own = api.call("GET", f"/v3/users/{api.made.member.id}", token=api.member)
    assert own.json["user"]["name"] == "demo"
    for other in (api.made.admin.id, "none"):
        assert api.call("GET", f"/v3/users/{other}", token=api.member).status_code == 403
    assert api.call("GET", "/v3/users/none", token=api.admin).status_code == 404


def test_a_user_is_changed(api: Api) -> None:
    path = f"/v3/users/{make(api, name='kim', email='e', password='old').json['user']['id']}"

    def change(**values: object) -> Any:
        return api.call("PATCH", path, {"user": values}, token=api.admin)

    assert change(name="lee").json["user"]["email"] == "e"
    changed = change(email=None, description="d", default_project_id=api.made.project.id)
    assert "email" not in changed.json["user"]
    assert changed.json["user"]["default_project_id"] == api.made.project.id
    assert "default_project_id" not in change(default_project_id=None).json["user"]
    assert change(name="demo").status_code == 409
    assert change(default_project_id="none").status_code == 400
    assert change(password="new").status_code == 200
    api.identity.authenticate("new", name="lee")
    assert change(enabled=False).json["user"]["enabled"] is False
    for values in ({"password": None}, {"enabled": None}, {"name": None}, {"password": ""}):
        assert change(**values).status_code == 400


def test_a_changed_password_voids_the_user_s_tokens(api: Api) -> None:
    path = f"/v3/users/{api.made.member.id}"
    assert (
        api.call("PATCH", path, {"user": {"password": "new"}}, token=api.admin).status_code == 200
    )
    with pytest.raises(Unauthorized):
        api.identity.check(api.member)


def test_a_user_changes_his_own_password(api: Api) -> None:
    path = f"/v3/users/{api.made.member.id}/password"

    def change(original: str, token: str) -> int:
        body = {"user": {"original_password": original, "password": "new"}}
        return api.call("POST", path, body, token=token).status_code

    right = api.made.member_password
    assert change("wrong", api.member) == 401
    assert change(right, api.admin) == 403
    assert change(right, api.member) == 204
    assert change("new", api.member) == 401, "his token is void"
    api.identity.authenticate("new", name="demo")


def test_a_user_is_deleted_with_his_tokens(api: Api) -> None:
    path = f"/v3/users/{api.made.member.id}"
    assert api.call("DELETE", path, token=api.admin).status_code == 204
    assert api.call("DELETE", path, token=api.admin).status_code == 404
    assert api.call("PATCH", path, {"user": {}}, token=api.admin).status_code == 404
    assert api.call("GET", "/v3/auth/projects", token=api.member).status_code == 401


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": "demo"}, 409),
        ({"name": ""}, 400),
        ({"name": "n" * 256}, 400),
        ({"password": "without a name"}, 400),
        ({"name": "kim", "password": ""}, 400),
        ({"name": "kim", "password": "p" * 4097}, 400),
        ({"name": "kim", "email": "e" * 256}, 400),
        ({"name": "kim", "enabled": 1}, 400),
        ({"name": "kim", "domain_id": "other"}, 400),
        ({"name": "kim", "default_project_id": "none"}, 400),
        ({"name": "kim", "password": None, "description": None, "email": None}, 201),
    ],
)
def test_what_a_user_may_be(api: Api, values: dict[str, object], code: int) -> None:
    assert make(api, **values).status_code == code
