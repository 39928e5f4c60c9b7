"""Who may do what: one table. The matrix in the tests is generated from it."""

from __future__ import annotations

from collections.abc import Mapping

from hanok.model.credentials import Credentials
from hanok.model.errors import Forbidden

READER = frozenset({"reader", "member", "admin"})
MEMBER = frozenset({"member", "admin"})
ADMIN = frozenset({"admin"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "flavors:read": READER,
    "zones:read": READER,
    "zones:detail": ADMIN,
    "keypairs:read": READER,
    "keypairs:write": MEMBER,
    "servers:read": READER,
    "servers:create": MEMBER,
    "servers:update": MEMBER,
    "servers:delete": MEMBER,
    "servers:actions": MEMBER,
    "servers:reset": ADMIN,
    "images:read": READER,
    "images:write": MEMBER,
    "volumes:read": READER,
    "volumes:write": MEMBER,
    "networks:read": READER,
    "networks:write": MEMBER,
    "limits:read": READER,
    "cloud:operate": ADMIN,
}


def authorize(credentials: Credentials, permission: str) -> None:
    """Raise Forbidden unless one of the caller's roles grants `permission`."""
    if PERMISSIONS[permission].isdisjoint(credentials.roles):
        raise Forbidden(f"Policy doesn't allow {permission} to be performed.")
