"""The compute service: every endpoint of NHN Cloud's dialect."""

from __future__ import annotations

from hanok.api._call import Service
from hanok.api._errors import compute_shape
from hanok.api.compute import (
    attachments,
    discovery,
    flavors,
    image_proxy,
    key_pairs,
    limits,
    server_actions,
    server_metadata,
    servers,
    zones,
)


def service() -> Service:
    """Return the service, to be mounted below `/{region}/compute`."""
    endpoints = (
        *discovery.ENDPOINTS,
        *flavors.ENDPOINTS,
        *zones.ENDPOINTS,
        *key_pairs.ENDPOINTS,
        *servers.ENDPOINTS,
        *server_actions.ENDPOINTS,
        *server_metadata.ENDPOINTS,
        *attachments.ENDPOINTS,
        *limits.ENDPOINTS,
        *image_proxy.ENDPOINTS,
    )
    return Service("compute", endpoints, compute_shape)
