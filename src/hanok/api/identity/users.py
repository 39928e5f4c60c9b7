"""Users in v3: an administrator keeps them; everybody sees himself and changes his password."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.identity import accounts
from hanok.api.identity.views import (
    DOMAIN,
    Name,
    Password,
    Text,
    given,
    in_default_domain,
    listed,
    own_or_admin,
    user_view,
)
from hanok.model.errors import Forbidden


class NewUser(msgspec.Struct):
    """What a user is made from; without a password nobody can log in as him."""

    name: Name
    password: Password | None = None
    description: Text | None = None
    email: Text | None = None
    enabled: bool = True
    domain_id: str | None = None
    default_project_id: str | None = None


class Creation(msgspec.Struct):
    """The body of `POST /v3/users`."""

    user: NewUser


class UserChanges(msgspec.Struct):
    """What can be changed of a user."""

    name: Name | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    email: Text | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    default_project_id: str | UnsetType | None = UNSET


class Change(msgspec.Struct):
    """The body of `PATCH /v3/users/{user}`."""

    user: UserChanges


class PasswordPair(msgspec.Struct):
    """The password that a user has, and the one that he wants."""

    original_password: str
    password: Password


class PasswordChange(msgspec.Struct):
    """The body of `POST /v3/users/{user}/password`."""

    user: PasswordPair


def list_users(call: Call) -> Answer:
    """`GET /v3/users`: filters name, enabled, domain_id."""
    query = call.query
    found = call.identity.accounts.users(name=query.get("name"), enabled=query.flag("enabled"))
    if query.get("domain_id") not in (None, DOMAIN["id"]):
        found = []
    views = [user_view(user, call.base.identity) for user in found]
    return Answer(body=listed(call, "users", "users", views))


def show_user(call: Call) -> Answer:
    """`GET /v3/users/{user}`."""
    own_or_admin(call, call.params["user"])
    user = call.identity.accounts.user(call.params["user"])
    return Answer(body={"user": user_view(user, call.base.identity)})


def create_user(call: Call) -> Answer:
    """`POST /v3/users`: 201; 409 for a name that is taken."""
    new = decode(call.body, Creation).user
    in_default_domain(new.domain_id)
    user = call.identity.accounts.create_user(
        accounts.NewUser(
            name=new.name,
            password=new.password,
            description=new.description or "",
            email=new.email or "",
            enabled=new.enabled,
            default_project_id=new.default_project_id,
        )
    )
    return Answer(201, {"user": user_view(user, call.base.identity)})


def change_user(call: Call) -> Answer:
    """`PATCH /v3/users/{user}`; a new password and disabling void the user's tokens."""
    patch = decode(call.body, Change).user
    changes = given(patch, "name", "description", "email", "enabled", "default_project_id")
    for text in ("description", "email"):
        if changes.get(text, "") is None:
            changes[text] = ""
    password = None if isinstance(patch.password, UnsetType) else patch.password
    user = call.identity.accounts.change_user(call.params["user"], changes, password=password)
    return Answer(body={"user": user_view(user, call.base.identity)})


def change_password(call: Call) -> Answer:
    """`POST /v3/users/{user}/password`: by the user himself; 401 unless he knows the old one."""
    user_id = call.params["user"]
    if user_id != call.credentials.user_id:
        raise Forbidden("A user changes his own password only.")
    pair = decode(call.body, PasswordChange).user
    call.identity.accounts.replace_password(user_id, pair.original_password, pair.password)
    return Answer(204)


def delete_user(call: Call) -> Answer:
    """`DELETE /v3/users/{user}`."""
    call.identity.accounts.delete_user(call.params["user"])
    return Answer(204)


ENDPOINTS = (
    Endpoint("GET", "/v3/users", list_users, permission="cloud:operate"),
    Endpoint("POST", "/v3/users", create_user, permission="cloud:operate"),
    Endpoint("GET", "/v3/users/{user}", show_user),
    Endpoint("PATCH", "/v3/users/{user}", change_user, permission="cloud:operate"),
    Endpoint("DELETE", "/v3/users/{user}", delete_user, permission="cloud:operate"),
    Endpoint("POST", "/v3/users/{user}/password", change_password),
)
