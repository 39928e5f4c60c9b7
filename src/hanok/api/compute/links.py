"""The compute service's links for one request."""

from __future__ import annotations

from hanok.api._call import Call
from hanok.api._links import Links


def links_of(call: Call, root: str) -> Links:
    """Return the link builder of the dialect at `root` ("/v2") for the caller's project."""
    base = call.base.service(call.region.name, "compute")
    return Links(base, root.strip("/"), call.credentials.project_id)
