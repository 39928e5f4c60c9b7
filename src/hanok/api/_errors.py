"""Failures become HTTP here and nowhere else: one table of codes, one shape for each service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from hanok.model import errors


@dataclass(frozen=True, slots=True)
class Rendered:
    """A failure as a response."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


ErrorShape = Callable[[errors.HanokError, str], Rendered]
"""Renders a failure; the second argument is identity's root, for `WWW-Authenticate`."""

STATUS: Mapping[type[errors.HanokError], int] = {
    errors.Invalid: 400,
    errors.Unauthorized: 401,
    errors.QuotaExceeded: 403,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Gone: 410,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.NotImplemented_: 501,
    errors.Unavailable: 503,
    errors.HostUnreachable: 503,
    errors.HostError: 500,
}
INTERNAL = "An unexpected error prevented the server from fulfilling your request."
_COMPUTE_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    501: "notImplemented",
    503: "serviceUnavailable",
}
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    410: "Gone",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
_NEUTRON_TYPES = {
    400: "HTTPBadRequest",
    401: "HTTPUnauthorized",
    403: "PolicyNotAuthorized",
    404: "HTTPNotFound",
    405: "HTTPMethodNotAllowed",
    409: "Conflict",
    413: "HTTPRequestEntityTooLarge",
    503: "ServiceUnavailable",
}


def status_of(error: errors.HanokError) -> int:
    """Return a failure's HTTP status: its class's, or the nearest ancestor's; 500 for the rest."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def identity_shape(error: errors.HanokError, identity: str) -> Rendered:
    """Keystone's shape, which the token check of every service uses for 401, too."""
    status = status_of(error)
    title = _TITLES.get(status, "Internal Server Error")
    body = {"error": {"code": status, "message": error.message, "title": title}}
    headers = {"WWW-Authenticate": f'Keystone uri="{identity}"'} if status == 401 else {}
    return Rendered(status, msgspec.json.encode(body), headers=headers)


def compute_shape(error: errors.HanokError, identity: str) -> Rendered:
    """Nova's and Cinder's shape: one key that names the kind of failure."""
    status = status_of(error)
    if status == 401:
        return identity_shape(error, identity)
    name = _COMPUTE_NAMES.get(status, "computeFault")
    return Rendered(status, msgspec.json.encode({name: {"code": status, "message": error.message}}))


def volume_shape(error: errors.HanokError, identity: str) -> Rendered:
    """Cinder's shape: Nova's, with 413 overLimit where a quota is exceeded."""
    if isinstance(error, errors.QuotaExceeded):
        body = {"overLimit": {"code": 413, "message": error.message, "retryAfter": "0"}}
        return Rendered(413, msgspec.json.encode(body), headers={"Retry-After": "0"})
    return compute_shape(error, identity)


def network_shape(error: errors.HanokError, identity: str) -> Rendered:
    """Neutron's shape; a failure may name its own type by an attribute `neutron_type`."""
    status = status_of(error)
    if status == 401:
        return identity_shape(error, identity)
    kind = getattr(error, "neutron_type", None) or _NEUTRON_TYPES.get(status, "HTTPError")
    body = {"NeutronError": {"type": kind, "message": error.message, "detail": ""}}
    return Rendered(status, msgspec.json.encode(body))


def image_shape(error: errors.HanokError, identity: str) -> Rendered:
    """Glance's shape: a small HTML page with the message."""
    status = status_of(error)
    if status == 401:
        return identity_shape(error, identity)
    title = f"{status} {_TITLES.get(status, 'Error')}"
    safe = error.message.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    page = (
        f"<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n"
        f"  {safe}<br /><br />\n </body>\n</html>"
    )
    return Rendered(status, page.encode(), content_type="text/html; charset=UTF-8")
