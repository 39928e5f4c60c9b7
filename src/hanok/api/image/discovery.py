"""The image service's versions: without them, nothing of OpenStack's that touches images works."""

from __future__ import annotations

from hanok.api._call import Answer, Call, Endpoint

_VERSION = "v2.9"


def _versions(call: Call) -> Answer:
    """Answer the bare root, as the catalog names it, with or without a final slash."""
    root = call.base.service(call.region.name, "image")
    version = {
        "id": _VERSION,
        "status": "CURRENT",
        "links": [{"rel": "self", "href": f"{root}/v2/"}],
    }
    return Answer(200, {"versions": [version]})


ENDPOINTS = tuple(
    Endpoint("GET", path, _versions, auth=False) for path in ("", "/", "/versions", "/versions/")
)
