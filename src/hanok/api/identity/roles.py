"""Roles, who has which in which project, and the one domain."""

from __future__ import annotations

from typing import Any

import msgspec

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.identity.accounts import ROLES
from hanok.api.identity.views import DOMAIN, Name, listed, role_view
from hanok.model.errors import Conflict, NotFound, NotImplemented_
from hanok.store.identity import Assignment

_NAMES = {role_id: name for name, role_id in ROLES.items()}
_ONE = "/v3/projects/{project}/users/{user}/roles/{role}"
_UNSUPPORTED_SCOPES = ("group.id", "scope.domain.id", "scope.system")


class NewRole(msgspec.Struct):
    """What a role would be made from."""

    name: Name


class Creation(msgspec.Struct):
    """The body of `POST /v3/roles`."""

    role: NewRole


def _named(role_id: str) -> str:
    """Return the name of a role; raises NotFound."""
    if role_id not in _NAMES:
        raise NotFound(f"Could not find role: {role_id}.")
    return _NAMES[role_id]


def list_roles(call: Call) -> Answer:
    """`GET /v3/roles`: filters name, domain_id."""
    name = call.query.get("name")
    # The roles are nobody's: no domain has any of its own.
    names = [] if call.query.get("domain_id") else sorted(ROLES)
    views = [role_view(role, call.base.identity) for role in names if name in (None, role)]
    return Answer(body=listed(call, "roles", "roles", views))


def show_role(call: Call) -> Answer:
    """`GET /v3/roles/{role}`."""
    return Answer(body={"role": role_view(_named(call.params["role"]), call.base.identity)})


def create_role(call: Call) -> Answer:
    """`POST /v3/roles`: 409 for a role that there is, 501 for any other: the set is fixed."""
    name = decode(call.body, Creation).role.name
    if name in ROLES:
        raise Conflict(f"There is already a role named '{name}'.")
    raise NotImplemented_(f"The roles are fixed: {', '.join(sorted(ROLES))}.")


def user_roles(call: Call) -> Answer:
    """`GET /v3/projects/{project}/users/{user}/roles`."""
    user_id, project_id = call.params["user"], call.params["project"]
    held = sorted(call.identity.accounts.roles(user_id, project_id))
    views = [role_view(role, call.base.identity) for role in held]
    return Answer(body=listed(call, "roles", f"projects/{project_id}/users/{user_id}/roles", views))


def check_role(call: Call) -> Answer:
    """`GET` and `HEAD` of one assignment: 204, or 404."""
    role = _named(call.params["role"])
    if role not in call.identity.accounts.roles(call.params["user"], call.params["project"]):
        raise NotFound("Could not find role assignment.")
    return Answer(204)


def assign_role(call: Call) -> Answer:
    """`PUT` of one assignment: 204, also when the user has the role already."""
    role = _named(call.params["role"])
    call.identity.accounts.assign(call.params["user"], call.params["project"], role)
    return Answer(204)


def unassign_role(call: Call) -> Answer:
    """`DELETE` of one assignment: 204, or 404."""
    role = _named(call.params["role"])
    call.identity.accounts.unassign(call.params["user"], call.params["project"], role)
    return Answer(204)


def list_assignments(call: Call) -> Answer:
    """`GET /v3/role_assignments`: filters user.id, scope.project.id, role.id; include_names."""
    query = call.query
    role_id = query.get("role.id")
    found: list[Assignment] = []
    if not any(query.get(key) for key in _UNSUPPORTED_SCOPES) and role_id in (None, *_NAMES):
        found = call.identity.accounts.assignments(
            user_id=query.get("user.id"),
            project_id=query.get("scope.project.id"),
            role=None if role_id is None else _NAMES[role_id],
        )
    # Keystone counts a bare `?include_names` as yes.
    named = query.get("include_names") is not None and query.flag("include_names") is not False
    views = [_assignment_view(one, call.base.identity, named=named) for one in found]
    return Answer(body=listed(call, "role_assignments", "role_assignments", views))


def _assignment_view(one: Assignment, root: str, *, named: bool) -> dict[str, Any]:
    role: dict[str, Any] = {"id": ROLES[one.role]}
    user: dict[str, Any] = {"id": one.user_id}
    project: dict[str, Any] = {"id": one.project_id}
    if named:
        role["name"] = one.role
        user |= {"name": one.user_name, "domain": DOMAIN}
        project |= {"name": one.project_name, "domain": DOMAIN}
    link = f"{root}/v3/projects/{one.project_id}/users/{one.user_id}/roles/{ROLES[one.role]}"
    return {
        "role": role,
        "user": user,
        "scope": {"project": project},
        "links": {"assignment": link},
    }


def _domain_view(root: str) -> dict[str, Any]:
    return {
        **DOMAIN,
        "description": "The one domain",
        "enabled": True,
        "options": {},
        "tags": [],
        "links": {"self": f"{root}/v3/domains/{DOMAIN['id']}"},
    }


def list_domains(call: Call) -> Answer:
    """`GET /v3/domains`: filters name, enabled."""
    wanted = call.query.get("name") in (None, DOMAIN["name"])
    wanted = wanted and call.query.flag("enabled") is not False
    views = [_domain_view(call.base.identity)] if wanted else []
    return Answer(body=listed(call, "domains", "domains", views))


def show_domain(call: Call) -> Answer:
    """`GET /v3/domains/{domain}`."""
    domain_id = call.params["domain"]
    if domain_id != DOMAIN["id"]:
        raise NotFound(f"Could not find domain: {domain_id}.")
    return Answer(body={"domain": _domain_view(call.base.identity)})


ENDPOINTS = (
    Endpoint("GET", "/v3/roles", list_roles, permission="cloud:operate"),
    Endpoint("POST", "/v3/roles", create_role, permission="cloud:operate"),
    Endpoint("GET", "/v3/roles/{role}", show_role, permission="cloud:operate"),
    Endpoint(
        "GET", "/v3/projects/{project}/users/{user}/roles", user_roles, permission="cloud:operate"
    ),
    Endpoint("GET", _ONE, check_role, permission="cloud:operate"),
    Endpoint("PUT", _ONE, assign_role, permission="cloud:operate"),
    Endpoint("DELETE", _ONE, unassign_role, permission="cloud:operate"),
    Endpoint("GET", "/v3/role_assignments", list_assignments, permission="cloud:operate"),
    Endpoint("GET", "/v3/domains", list_domains),
    Endpoint("GET", "/v3/domains/{domain}", show_domain),
)
