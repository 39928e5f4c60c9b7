"""Projects in v3: everybody sees his own, an administrator keeps them all."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.identity.views import (
    DOMAIN,
    Name,
    Text,
    given,
    in_default_domain,
    listed,
    own_or_admin,
    project_view,
)
from hanok.model.errors import Invalid, NotFound


class NewProject(msgspec.Struct):
    """What a project is made from."""

    name: Name
    description: Text | None = None
    enabled: bool = True
    domain_id: str | None = None
    parent_id: str | None = None
    is_domain: bool = False


class Creation(msgspec.Struct):
    """The body of `POST /v3/projects`."""

    project: NewProject


class ProjectChanges(msgspec.Struct):
    """What can be changed of a project."""

    name: Name | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class Change(msgspec.Struct):
    """The body of `PATCH /v3/projects/{project}`."""

    project: ProjectChanges


def list_projects(call: Call) -> Answer:
    """`GET /v3/projects`: filters name, enabled, domain_id, parent_id, is_domain."""
    query, caller = call.query, call.credentials
    found = call.identity.accounts.projects(
        name=query.get("name"),
        enabled=query.flag("enabled"),
        user_id=None if caller.is_admin else caller.user_id,
    )
    elsewhere = any(
        query.get(key) not in (None, DOMAIN["id"]) for key in ("domain_id", "parent_id")
    )
    if elsewhere or query.flag("is_domain"):
        found = []
    views = [project_view(project, call.base.identity) for project in found]
    return Answer(body=listed(call, "projects", "projects", views))


def user_projects(call: Call) -> Answer:
    """`GET /v3/users/{user}/projects`: those in which the user has a role."""
    user_id = call.params["user"]
    own_or_admin(call, user_id)
    call.identity.accounts.user(user_id)
    found = call.identity.accounts.projects(name=call.query.get("name"), user_id=user_id)
    views = [project_view(project, call.base.identity) for project in found]
    return Answer(body=listed(call, "projects", f"users/{user_id}/projects", views))


def show_project(call: Call) -> Answer:
    """`GET /v3/projects/{project}`: 404 also for a project that the caller has no role in."""
    caller, accounts = call.credentials, call.identity.accounts
    project = accounts.project(call.params["project"])
    if not caller.is_admin and not accounts.roles(caller.user_id, project.id):
        raise NotFound(f"Could not find project: {project.id}.")
    return Answer(body={"project": project_view(project, call.base.identity)})


def create_project(call: Call) -> Answer:
    """`POST /v3/projects`: 201; 409 for a name that is taken."""
    new = decode(call.body, Creation).project
    in_default_domain(new.domain_id)
    if new.is_domain or new.parent_id not in (None, DOMAIN["id"]):
        raise Invalid("Projects are not nested, and there is one domain.")
    project = call.identity.accounts.create_project(
        new.name, description=new.description or "", enabled=new.enabled
    )
    return Answer(201, {"project": project_view(project, call.base.identity)})


def change_project(call: Call) -> Answer:
    """`PATCH /v3/projects/{project}`; disabling a project voids its tokens."""
    changes = given(decode(call.body, Change).project, "name", "description", "enabled")
    if changes.get("description", "") is None:
        changes["description"] = ""
    project = call.identity.accounts.change_project(call.params["project"], changes)
    return Answer(body={"project": project_view(project, call.base.identity)})


def delete_project(call: Call) -> Answer:
    """`DELETE /v3/projects/{project}`: 409 while a region holds anything of it."""
    call.identity.accounts.delete_project(call.params["project"])
    return Answer(204)


ENDPOINTS = (
    Endpoint("GET", "/v3/projects", list_projects),
    Endpoint("POST", "/v3/projects", create_project, permission="cloud:operate"),
    Endpoint("GET", "/v3/projects/{project}", show_project),
    Endpoint("PATCH", "/v3/projects/{project}", change_project, permission="cloud:operate"),
    Endpoint("DELETE", "/v3/projects/{project}", delete_project, permission="cloud:operate"),
    Endpoint("GET", "/v3/users/{user}/projects", user_projects),
)
