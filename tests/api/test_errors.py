from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hanok.api._errors import (
    STATUS,
    ErrorShape,
    compute_shape,
    identity_shape,
    image_shape,
    network_shape,
    status_of,
    volume_shape,
)
from hanok.model import errors
from hanok.model.errors import HanokError

ROOT = "https://cloud.example"
SHAPES = [identity_shape, compute_shape, volume_shape, network_shape, image_shape]
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


def read(body: bytes) -> Any:
    return msgspec.json.decode(body)


def test_every_failure_has_a_status() -> None:
    assert {kind.__name__: status_of(kind("x")) for kind in KINDS} == {
        "HanokError": 500,
        "Invalid": 400,
        "Unauthorized": 401,
        "Forbidden": 403,
        "QuotaExceeded": 403,
        "NotFound": 404,
        "Gone": 410,
        "MethodNotAllowed": 405,
        "Conflict": 409,
        "TooLarge": 413,
        "UnsupportedMediaType": 415,
        "NotImplemented_": 501,
        "Unavailable": 503,
        "HostError": 500,
        "HostUnreachable": 503,
    }
    assert set(STATUS) == set(KINDS) - {HanokError}


def test_a_new_kind_takes_its_nearest_ancestor_s_status() -> None:
    class Locked(errors.Conflict):
        pass

    assert status_of(Locked("x")) == 409


@pytest.mark.parametrize("shape", SHAPES)
def test_a_missing_token_looks_the_same_everywhere(shape: ErrorShape) -> None:
    rendered = shape(errors.Unauthorized("Who are you?"), ROOT)
    assert rendered.status == 401
    assert rendered.content_type == "application/json"
    assert rendered.headers["WWW-Authenticate"] == f'Keystone uri="{ROOT}"'
    assert read(rendered.body) == {
        "error": {"code": 401, "message": "Who are you?", "title": "Unauthorized"}
    }


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_operator_s_detail_never_shows(shape: ErrorShape, kind: type[HanokError]) -> None:
    rendered = shape(kind("For the tenant.", detail="/var/lib/secret"), ROOT)
    assert b"For the tenant." in rendered.body
    assert b"secret" not in rendered.body
    assert "secret" not in str(rendered.headers)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (errors.Invalid("m"), "badRequest"),
        (errors.Forbidden("m"), "forbidden"),
        (errors.QuotaExceeded("m"), "forbidden"),
        (errors.NotFound("m"), "itemNotFound"),
        (errors.MethodNotAllowed("m"), "badMethod"),
        (errors.Conflict("m"), "conflictingRequest"),
        (errors.TooLarge("m"), "overLimit"),
        (errors.UnsupportedMediaType("m"), "badMediaType"),
        (errors.NotImplemented_("m"), "notImplemented"),
        (errors.Unavailable("m"), "serviceUnavailable"),
        (errors.HostError("m"), "computeFault"),
    ],
)
def test_compute_names_the_failure(error: HanokError, name: str) -> None:
    rendered = compute_shape(error, ROOT)
    assert read(rendered.body) == {name: {"code": rendered.status, "message": "m"}}


def test_a_volume_quota_is_over_limit() -> None:
    rendered = volume_shape(errors.QuotaExceeded("m"), ROOT)
    assert rendered.status == 413
    assert rendered.headers == {"Retry-After": "0"}
    assert read(rendered.body) == {"overLimit": {"code": 413, "message": "m", "retryAfter": "0"}}
    assert read(volume_shape(errors.NotFound("m"), ROOT).body) == {
        "itemNotFound": {"code": 404, "message": "m"}
    }


def test_network_names_the_type() -> None:
    class SecurityGroupInUse(errors.Conflict):
        neutron_type = "SecurityGroupInUse"

    for error, kind in (
        (errors.NotFound("m"), "HTTPNotFound"),
        (errors.HostError("m"), "HTTPError"),
        (SecurityGroupInUse("m"), "SecurityGroupInUse"),
    ):
        body = read(network_shape(error, ROOT).body)
        assert body == {"NeutronError": {"type": kind, "message": "m", "detail": ""}}


def test_image_writes_a_page_that_no_message_breaks() -> None:
    rendered = image_shape(errors.NotFound("<script>&"), ROOT)
    assert rendered.content_type.startswith("text/html")
    page = rendered.body.decode()
    assert "<h1>404 Not Found</h1>" in page
    assert "&lt;script&gt;&amp;" in page
    assert "<script>" not in page
