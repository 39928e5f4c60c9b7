from __future__ import annotations

import re

import pytest

from hanok.api._call import Endpoint
from hanok.api._errors import compute_shape
from hanok.api.compute.service import service
from hanok.policy.rules import PERMISSIONS

ENDPOINTS = service().endpoints
EACH = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
GUIDE = {
    ("POST", "/v2/{tenant}/servers"),
    ("GET", "/v2/{tenant}/servers"),
    ("GET", "/v2/{tenant}/servers/detail"),
    ("GET", "/v2/{tenant}/servers/{server}"),
    ("PUT", "/v2/{tenant}/servers/{server}"),
    ("DELETE", "/v2/{tenant}/servers/{server}"),
    ("POST", "/v2/{tenant}/servers/{server}/action"),
    ("GET", "/v2/{tenant}/servers/{server}/os-volume_attachments"),
    ("POST", "/v2/{tenant}/servers/{server}/os-volume_attachments"),
    ("DELETE", "/v2/{tenant}/servers/{server}/os-volume_attachments/{volume}"),
    ("GET", "/v2/{tenant}/flavors"),
    ("GET", "/v2/{tenant}/flavors/detail"),
    ("GET", "/v2/{tenant}/os-availability-zone"),
    ("GET", "/v2/{tenant}/os-keypairs"),
    ("POST", "/v2/{tenant}/os-keypairs"),
    ("GET", "/v2/{tenant}/os-keypairs/{keypair}"),
    ("DELETE", "/v2/{tenant}/os-keypairs/{keypair}"),
}
"""The sections of the guide that stand for an address each; names in braces are ours."""


def shape(method: str, path: str) -> tuple[str, str]:
    return method, re.sub(r"\{\w+\}", "{}", path)


def test_it_is_the_compute_service_with_nova_s_errors() -> None:
    assert service().name == "compute"
    assert service().errors is compute_shape


def test_every_address_of_the_guide_is_served() -> None:
    served = {shape(one.method, one.path) for one in ENDPOINTS}
    assert {shape(*one) for one in GUIDE} <= served


def test_no_two_endpoints_have_one_address() -> None:
    shapes = [shape(one.method, one.path) for one in ENDPOINTS]
    assert len(set(shapes)) == len(shapes)


@EACH
def test_what_is_a_project_s_needs_a_token_and_a_permission(endpoint: Endpoint) -> None:
    if "{tenant}" in endpoint.path:
        assert endpoint.auth
        open_to_all = endpoint.path.startswith("/v2/{tenant}/extensions")
        assert endpoint.permission in ({None} if open_to_all else PERMISSIONS)
    else:
        assert endpoint.method == "GET", "only the versions can be read by anybody"


@EACH
def test_what_only_reads_cannot_need_the_permission_to_change(endpoint: Endpoint) -> None:
    if endpoint.permission is not None and endpoint.permission.endswith(":read"):
        assert endpoint.method in {"GET", "HEAD"}
