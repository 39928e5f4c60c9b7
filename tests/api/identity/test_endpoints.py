"""What holds for every endpoint of identity: who may, and that no body does harm."""

from __future__ import annotations

import re

import pytest

from hanok.api._call import Endpoint
from hanok.api.identity.accounts import ROLES, NewUser
from hanok.api.identity.endpoints import service
from tests.api.identity.conftest import REGIONS, Api

ENDPOINTS = service(REGIONS).endpoints
WITH_BODY = [one for one in ENDPOINTS if one.method in ("POST", "PATCH")]
FOR_ADMINS = [one for one in ENDPOINTS if one.permission == "cloud:operate"]
WITH_TOKEN = [one for one in ENDPOINTS if one.auth]

_LOG_IN = (
    b'"auth": {"tenantName": "demo", "passwordCredentials": {"username": "admin", "password": "x"},'
    b' "identity": {"methods": ["password"], "password": {"user": {"id": "x", "password": "x"}}}}'
)
_OBJECTS = (
    b'"user": {"name": "n", "password": "p", "original_password": "o"}, "project": {"name": "n"},'
    b' "role": {"name": "n"}'
)
# What every endpoint that reads a body would take, were it not for what follows.
_GOOD = _LOG_IN + b", " + _OBJECTS
TRAPS = {
    "empty": b"",
    "blank": b"  ",
    "not JSON": b"auth",
    "cut short": b"{" + _GOOD,
    "two": b"{" + _GOOD + b"}{}",
    "an array": b"[]",
    "null": b"null",
    "a number": b"1",
    "a string": b'"auth"',
    "nothing": b"{}",
    "nulls": b'{"auth": null, "user": null, "project": null, "role": null}',
    "arrays": b'{"auth": [], "user": [], "project": [], "role": []}',
    "numbers": b'{"auth": 1, "user": 1, "project": 1, "role": 1}',
    "deep arrays": b"[" * 5_000,
    "deep and closed": b"{" + _GOOD + b', "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "deep objects": b"{" + _GOOD + b', "x": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    "an escaped NUL": b"{" + _GOOD.replace(b'"n"', b'"n\\u0000"').replace(b"demo", b"\\u0000")
    + b"}",
    "a raw NUL": b"{" + _GOOD + b', "x": "\x00"}',
    "not UTF-8": b"{" + re.sub(rb'"(n|x|p|demo)"', b'"\xff"', _GOOD) + b"}",
    "half a surrogate pair": b"{" + _GOOD + b', "x": "\\ud800"}',
    "huge integers": b"{" + re.sub(rb'"(n|x|p|demo)"', b"9" * 400, _GOOD) + b"}",
    "2^63": b"{" + re.sub(rb'"(n|x|p|demo)"', b"9223372036854775808", _GOOD) + b"}",
    "infinity": b"{" + re.sub(rb'"(n|x|p|demo)"', b"1e999", _GOOD) + b"}",
    "not a number": b"{" + _GOOD + b', "x": NaN}',
    "booleans": b"{" + re.sub(rb'"(n|x|p|demo)"', b"true", _GOOD) + b"}",
    "lists for texts": b"{" + re.sub(rb'"(n|x|p|demo)"', b"[]", _GOOD) + b"}",
}  # fmt: skip


def named(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def path_of(endpoint: Endpoint, api: Api) -> str:
    return endpoint.path.format(
        user=api.made.admin.id,
        project=api.made.project.id,
        role=ROLES["member"],
        domain="default",
    )


def test_the_good_body_is_good(api: Api) -> None:
    """Or the traps would prove nothing."""
    codes = {
        named(one): api.call(
            one.method, path_of(one, api), b"{" + _GOOD + b"}", token=api.admin
        ).status_code
        for one in WITH_BODY
    }
    assert codes == {
        "POST /v2.0/tokens": 401,
        "POST /v3/auth/tokens": 401,
        "POST /v3/projects": 201,
        "PATCH /v3/projects/{project}": 409,
        "POST /v3/users": 201,
        "PATCH /v3/users/{user}": 409,
        "POST /v3/users/{user}/password": 401,
        "POST /v3/roles": 501,
    }


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS.keys())
def test_a_malformed_body_is_a_400(api: Api, trap: bytes) -> None:
    for endpoint in WITH_BODY:
        answer = api.call(endpoint.method, path_of(endpoint, api), trap, token=api.admin)
        assert answer.status_code == 400, named(endpoint)
        assert answer.json["error"]["code"] == 400
        assert answer.json["error"]["title"] == "Bad Request"
        assert answer.json["error"]["message"]


@pytest.mark.parametrize("endpoint", WITH_TOKEN, ids=named)
def test_nobody_enters_without_a_token(api: Api, endpoint: Endpoint) -> None:
    for headers in ({}, {"X-Auth-Token": "0" * 32}, {"X-Auth-Token": "\xff"}):
        answer = api.call(endpoint.method, path_of(endpoint, api), headers=headers)
        assert answer.status_code == 401
        assert answer.json["error"]["title"] == "Unauthorized"
        assert answer.headers["www-authenticate"].startswith("Keystone uri=")


@pytest.mark.parametrize("endpoint", FOR_ADMINS, ids=named)
def test_administration_is_for_administrators(api: Api, endpoint: Endpoint) -> None:
    reader = api.identity.accounts.create_user(NewUser("reader"))
    api.identity.accounts.assign(reader.id, api.made.project.id, "reader")
    for token in (api.member, api.token(reader.id)):
        answer = api.call(endpoint.method, path_of(endpoint, api), token=token)
        assert answer.status_code == 403
        assert answer.json["error"]["title"] == "Forbidden"


def test_every_path_is_either_open_or_guarded() -> None:
    """The endpoints that any token's owner may call, by name, so that a new one is noticed."""
    guarded = {named(one) for one in FOR_ADMINS}
    assert {named(one) for one in WITH_TOKEN} - guarded == {
        "GET /v2.0/tenants",
        "GET /v3/auth/tokens",
        "DELETE /v3/auth/tokens",
        "GET /v3/auth/catalog",
        "GET /v3/auth/projects",
        "GET /v3/projects",
        "GET /v3/projects/{project}",
        "GET /v3/users/{user}",
        "GET /v3/users/{user}/projects",
        "POST /v3/users/{user}/password",
        "GET /v3/domains",
        "GET /v3/domains/{domain}",
    }


def test_an_odd_query_or_path_does_no_harm(api: Api) -> None:
    for path, code in {
        "/v3/projects?name=%00": 400,
        "/v3/projects?name=%FF": 200,
        f"/v3/projects?name={'a' * 5_000}": 200,
        "/v3/projects?" + "a=1&" * 300: 400,
        "/v3/projects/%00": 400,
        "/v3/projects/" + "9" * 5_000: 404,
        "/v3/users?enabled=perhaps": 200,
        "/v3/domains/%ED%A0%80": 404,
    }.items():
        assert api.call("GET", path, token=api.admin).status_code == code, path[:40]


@pytest.mark.parametrize("path", ["/v1", "/v3/nothing", "/kr9/compute/v2/x", "/v2.0/tokens/x/y"])
def test_an_unknown_path_is_a_404_in_keystone_s_shape(api: Api, path: str) -> None:
    answer = api.call("GET", path)
    assert answer.status_code == 404
    assert answer.json == {
        "error": {"code": 404, "message": "The resource could not be found.", "title": "Not Found"}
    }
