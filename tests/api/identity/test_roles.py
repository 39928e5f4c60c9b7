from __future__ import annotations

from typing import Any

import pytest

from hanok.api.identity.accounts import ROLES
from tests.api.identity.conftest import PUBLIC_URL, Api


def get(api: Api, path: str) -> Any:
    return api.call("GET", path, token=api.admin)


def assignment(api: Api, role: str) -> str:
    return f"/v3/projects/{api.made.project.id}/users/{api.made.member.id}/roles/{role}"


def test_the_three_roles_are_listed(api: Api) -> None:
    roles = get(api, "/v3/roles").json["roles"]
    assert [role["name"] for role in roles] == ["admin", "member", "reader"]
    for role in roles:
        assert role["links"]["self"] == f"{PUBLIC_URL}/v3/roles/{role['id']}"
        assert get(api, f"/v3/roles/{role['id']}").json["role"] == role
    member = get(api, "/v3/roles?name=member").json["roles"]
    assert [role["id"] for role in member] == [ROLES["member"]]
    assert get(api, "/v3/roles?name=none").json["roles"] == []
    assert get(api, "/v3/roles?domain_id=default").json["roles"] == []
    assert get(api, "/v3/roles/member").status_code == 404


@pytest.mark.parametrize(("name", "code"), [("member", 409), ("emperor", 501), ("", 400)])
def test_no_further_role_is_made(api: Api, name: str, code: int) -> None:
    answer = api.call("POST", "/v3/roles", {"role": {"name": name}}, token=api.admin)
    assert answer.status_code == code


def test_a_role_is_given_and_taken(api: Api) -> None:
    path = assignment(api, ROLES["reader"])
    own = path.rpartition("/")[0]

    def codes(*methods: str) -> list[int]:
        return [api.call(method, path, token=api.admin).status_code for method in methods]

    assert codes("GET", "HEAD", "DELETE") == [404, 404, 404]
    assert codes("PUT", "PUT", "GET", "HEAD") == [204, 204, 204, 204]
    assert [role["name"] for role in get(api, own).json["roles"]] == ["member", "reader"]
    assert api.identity.check(api.member).roles == {"member", "reader"}
    assert codes("DELETE", "GET") == [204, 404]
    assert [role["name"] for role in get(api, own).json["roles"]] == ["member"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_is_not_there_has_no_roles(api: Api, method: str) -> None:
    project, user = api.made.project.id, api.made.member.id
    for path in (
        assignment(api, "none"),
        f"/v3/projects/none/users/{user}/roles/{ROLES['member']}",
        f"/v3/projects/{project}/users/none/roles/{ROLES['member']}",
    ):
        assert api.call(method, path, token=api.admin).status_code == 404


def test_assignments_are_listed_and_filtered(api: Api) -> None:
    member, project = api.made.member.id, api.made.project.id
    every = get(api, "/v3/role_assignments").json["role_assignments"]
    assert len(every) == 2
    expected = {
        "role": {"id": ROLES["member"]},
        "user": {"id": member},
        "scope": {"project": {"id": project}},
        "links": {"assignment": PUBLIC_URL + assignment(api, ROLES["member"])},
    }
    assert expected in every
    for query, count in {
        f"user.id={member}": 1,
        f"scope.project.id={project}": 2,
        f"role.id={ROLES['admin']}": 1,
        f"role.id={ROLES['reader']}": 0,
        f"user.id={member}&role.id={ROLES['admin']}": 0,
        "role.id=none": 0,
        "group.id=x": 0,
        "scope.domain.id=default": 0,
        "scope.system=all": 0,
        "user.id=none": 0,
    }.items():
        found = get(api, f"/v3/role_assignments?{query}").json["role_assignments"]
        assert len(found) == count, query


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("", False),
        ("&include_names", True),
        ("&include_names=True", True),
        ("&include_names=0", False),
    ],
)
def test_assignments_carry_names_when_asked(api: Api, query: str, named: bool) -> None:
    path = f"/v3/role_assignments?user.id={api.made.member.id}{query}"
    (found,) = get(api, path).json["role_assignments"]
    domain = {"id": "default", "name": "Default"}
    names = {"name": "demo", "domain": domain} if named else {}
    assert found["user"] == {"id": api.made.member.id, **names}
    assert found["scope"]["project"] == {"id": api.made.project.id, **names}
    assert found["role"].get("name") == ("member" if named else None)


def test_there_is_one_domain(api: Api) -> None:
    (domain,) = get(api, "/v3/domains").json["domains"]
    assert (domain["id"], domain["name"], domain["enabled"]) == ("default", "Default", True)
    assert get(api, "/v3/domains?name=Default").json["domains"] == [domain]
    assert get(api, "/v3/domains?name=other").json["domains"] == []
    assert get(api, "/v3/domains?enabled=false").json["domains"] == []
    shown = api.call("GET", "/v3/domains/default", token=api.member)
    assert shown.json["domain"] == domain
    assert get(api, "/v3/domains/other").status_code == 404
