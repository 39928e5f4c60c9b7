"""Version documents: what a client reads before it logs in."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call, Endpoint

_MEDIA = "application/vnd.openstack.identity-"


def _version(root: str, version: str, number: str, updated: str) -> dict[str, Any]:
    media = {"base": "application/json", "type": f"{_MEDIA}{version}+json"}
    return {
        "id": number,
        "status": "stable",
        "updated": updated,
        "links": [{"rel": "self", "href": f"{root}/{version}/"}],
        "media-types": [media],
    }


def _v3(root: str) -> dict[str, Any]:
    return _version(root, "v3", "v3.14", "2020-04-07T00:00:00Z")


def _v2(root: str) -> dict[str, Any]:
    return _version(root, "v2.0", "v2.0", "2014-04-17T00:00:00Z")


def versions(call: Call) -> Answer:
    """`GET /`: 300, both versions; recent OpenStack clients require that v3 be among them."""
    root = call.base.identity
    return Answer(300, {"versions": {"values": [_v3(root), _v2(root)]}})


def version_2(call: Call) -> Answer:
    """`GET /v2.0`."""
    return Answer(body={"version": _v2(call.base.identity)})


def version_3(call: Call) -> Answer:
    """`GET /v3`."""
    return Answer(body={"version": _v3(call.base.identity)})


ENDPOINTS = (
    Endpoint("GET", "/", versions, auth=False),
    Endpoint("GET", "/v2.0", version_2, auth=False),
    Endpoint("GET", "/v2.0/", version_2, auth=False),
    Endpoint("GET", "/v3", version_3, auth=False),
    Endpoint("GET", "/v3/", version_3, auth=False),
)
