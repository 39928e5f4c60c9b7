from __future__ import annotations

from typing import Any

import pytest

from tests.api.identity.conftest import PUBLIC_URL, Api


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return [project["name"] for project in answer.json["projects"]]


def make(api: Api, **values: object) -> Any:
    return api.call("POST", "/v3/projects", {"project": values}, token=api.admin)


def test_a_project_is_made_as_keystone_writes_one(api: Api) -> None:
    answer = make(api, name="web", description="shop", domain_id="default")
    assert answer.status_code == 201
    project = answer.json["project"]
    assert project == {
        "id": project["id"],
        "name": "web",
        "description": "shop",
        "enabled": True,
        "domain_id": "default",
        "parent_id": "default",
        "is_domain": False,
        "options": {},
        "tags": [],
        "links": {"self": f"{PUBLIC_URL}/v3/projects/{project['id']}"},
    }
    path = f"/v3/projects/{project['id']}"
    assert api.call("GET", path, token=api.admin).json == answer.json


def test_everybody_lists_his_own_and_an_administrator_all(api: Api) -> None:
    make(api, name="web")
    off = make(api, name="off", enabled=False, description=None)
    assert off.json["project"]["description"] == ""
    assert names(api.call("GET", "/v3/projects", token=api.member)) == ["demo"]
    assert names(api.call("GET", "/v3/projects?name=web", token=api.member)) == []
    for query, expected in {
        "": ["demo", "off", "web"],
        "?name=web": ["web"],
        "?enabled=false": ["off"],
        "?enabled=1": ["demo", "web"],
        "?domain_id=default": ["demo", "off", "web"],
        "?domain_id=other": [],
        "?parent_id=x": [],
        "?is_domain=true": [],
    }.items():
        assert names(api.call("GET", f"/v3/projects{query}", token=api.admin)) == expected


def test_another_s_project_is_not_there(api: Api) -> None:
    strange = make(api, name="web").json["project"]["id"]
    assert api.call("GET", f"/v3/projects/{strange}", token=api.member).status_code == 404
    own = api.call("GET", f"/v3/projects/{api.made.project.id}", token=api.member)
    assert own.json["project"]["name"] == "demo"
    unknown = api.call("GET", "/v3/projects/none", token=api.admin)
    assert unknown.json["error"]["message"] == "Could not find project: none."


def test_a_user_s_projects_are_his_and_the_administrator_s_to_see(api: Api) -> None:
    path = f"/v3/users/{api.made.member.id}/projects"
    assert names(api.call("GET", path, token=api.member)) == ["demo"]
    assert names(api.call("GET", path, token=api.admin)) == ["demo"]
    assert names(api.call("GET", f"{path}?name=other", token=api.admin)) == []
    other = f"/v3/users/{api.made.admin.id}/projects"
    assert api.call("GET", other, token=api.member).status_code == 403
    assert api.call("GET", "/v3/users/none/projects", token=api.admin).status_code == 404


def test_a_project_is_changed(api: Api) -> None:
    path = f"/v3/projects/{make(api, name='web', description='d').json['project']['id']}"
    body: dict[str, object] = {"project": {"name": "shop"}}
    changed = api.call("PATCH", path, body, token=api.admin).json["project"]
    assert (changed["name"], changed["description"]) == ("shop", "d")
    body = {"project": {"description": None, "enabled": False}}
    changed = api.call("PATCH", path, body, token=api.admin).json["project"]
    assert (changed["name"], changed["description"], changed["enabled"]) == ("shop", "", False)
    assert api.call("GET", path, token=api.admin).json["project"] == changed
    body = {"project": {"name": "demo"}}
    assert api.call("PATCH", path, body, token=api.admin).status_code == 409
    body = {"project": {}}
    assert api.call("PATCH", path, body, token=api.admin).json["project"] == changed


def test_a_project_is_deleted(api: Api) -> None:
    path = f"/v3/projects/{make(api, name='web').json['project']['id']}"
    assert api.call("DELETE", path, token=api.admin).status_code == 204
    assert api.call("DELETE", path, token=api.admin).status_code == 404
    assert api.call("PATCH", path, {"project": {}}, token=api.admin).status_code == 404


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": "demo"}, 409),
        ({"name": ""}, 400),
        ({"name": " "}, 400),
        ({"name": "n" * 256}, 400),
        ({"name": None}, 400),
        ({"description": "without a name"}, 400),
        ({"name": "web", "description": "d" * 256}, 400),
        ({"name": "web", "enabled": "yes"}, 400),
        ({"name": "web", "domain_id": "other"}, 400),
        ({"name": "web", "parent_id": "other"}, 400),
        ({"name": "web", "is_domain": True}, 400),
        ({"name": "한" * 255, "description": "글" * 255}, 201),
    ],
)
def test_what_a_project_may_be(api: Api, values: dict[str, object], code: int) -> None:
    assert make(api, **values).status_code == code
