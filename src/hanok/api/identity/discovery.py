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


def _both(root: str) -> dict[str, Any]:
    return {"versions": {"values": [_v3(root), _v2(root)]}}


def versions(call: Call) -> Answer:
    """`GET /`: 300, both versions; recent OpenStack clients require that v3 be among them."""
    return Answer(300, _both(call.base.identity))


def version_2(call: Call) -> Answer:
    """`GET /v2.0`: itself as `version`, and both versions as the root lists them.

    With a v2.0 log-in openstacksdk takes OS_AUTH_URL for identity's only address and the highest
    version named there for what it can do (`CloudRegion.get_endpoint`, for a log-in whose project
    is a tenant). Without v3 in the list the `openstack` command refuses `server list`, `keypair`
    and `volume`. The list goes before `version` in keystoneauth; v2.0 still logs in by v2.0.
    """
    root = call.base.identity
    return Answer(body={"version": _v2(root), **_both(root)})


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
