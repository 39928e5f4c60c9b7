"""Identity's objects as v3 writes them, and the few rules that all its requests share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta

from hanok.api._call import Call
from hanok.api.identity.accounts import ROLES
from hanok.model.errors import Forbidden, Invalid
from hanok.store.identity import Project, User

DOMAIN: Final = {"id": "default", "name": "Default"}
"""The one domain; every project and user is in it."""

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S")]
Text = Annotated[str, Meta(max_length=255)]
Password = Annotated[str, Meta(min_length=1, max_length=4096)]

_T = TypeVar("_T")


class DomainReference(msgspec.Struct):
    """A domain as a client names it: by id, or else by name."""

    id: str | None = None
    name: str | None = None

    @property
    def is_default(self) -> bool:
        """Tell whether it is the one domain there is."""
        if self.id is not None:
            return self.id == DOMAIN["id"]
        return self.name == DOMAIN["name"]


def expect(value: _T | None, what: str, where: str) -> _T:
    """Return a part of a request that must be there; raises Invalid in keystone's words."""
    if value is None:
        raise Invalid(
            f"Expecting to find {what} in {where}. "
            "The server could not comply with the request since it is either malformed or "
            "otherwise incorrect. The client is assumed to be in error."
        )
    return value


def given(patch: msgspec.Struct, *names: str) -> dict[str, str | bool | None]:
    """Return those of the fields that a PATCH's body has."""
    values = ((name, getattr(patch, name)) for name in names)
    return {name: value for name, value in values if value is not UNSET}


def in_default_domain(domain_id: str | None) -> None:
    """Refuse another domain than the one there is; raises Invalid."""
    if domain_id not in (None, DOMAIN["id"]):
        raise Invalid(f"There is one domain, '{DOMAIN['id']}'; '{domain_id}' is none.")


def own_or_admin(call: Call, user_id: str) -> None:
    """Let pass the user himself and administrators; raises Forbidden."""
    if call.credentials.user_id != user_id and not call.credentials.is_admin:
        raise Forbidden("You are not authorized to perform the requested action.")


def project_view(project: Project, root: str) -> dict[str, Any]:
    """Write a project; `root` is identity's root."""
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "enabled": project.enabled,
        "domain_id": DOMAIN["id"],
        "parent_id": DOMAIN["id"],
        "is_domain": False,
        "options": {},
        "tags": [],
        "links": {"self": f"{root}/v3/projects/{project.id}"},
    }


def user_view(user: User, root: str) -> dict[str, Any]:
    """Write a user; `root` is identity's root."""
    view: dict[str, Any] = {
        "id": user.id,
        "name": user.name,
        "description": user.description,
        "enabled": user.enabled,
        "domain_id": DOMAIN["id"],
        "options": {},
        "password_expires_at": None,
        "links": {"self": f"{root}/v3/users/{user.id}"},
    }
    if user.email:
        view["email"] = user.email
    if user.default_project_id is not None:
        view["default_project_id"] = user.default_project_id
    return view


def role_view(role: str, root: str) -> dict[str, Any]:
    """Write a role; `root` is identity's root."""
    return {
        "id": ROLES[role],
        "name": role,
        "description": "",
        "domain_id": None,
        "options": {},
        "links": {"self": f"{root}/v3/roles/{ROLES[role]}"},
    }


def listed(call: Call, key: str, path: str, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Write a list that is always whole; `path` is what was asked for."""
    links = {"self": f"{call.base.identity}/v3/{path}", "next": None, "previous": None}
    return {key: items, "links": links}
