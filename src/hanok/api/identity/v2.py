"""Identity v2.0, as NHN Cloud has it: tokens and the caller's projects ("tenants")."""

from __future__ import annotations

from typing import Any

import msgspec

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.identity.accounts import ROLES
from hanok.api.identity.catalog import Catalog
from hanok.api.identity.service import Issued, ProjectReference, Proof
from hanok.api.identity.views import expect
from hanok.model.moments import iso, iso_micro
from hanok.store.identity import Project


class PasswordCredentials(msgspec.Struct, rename="camel"):
    """Who logs in, by name or id, and the password."""

    username: str | None = None
    user_id: str | None = None
    password: str | None = None


class TokenCredentials(msgspec.Struct):
    """A token to be exchanged for one of another project."""

    id: str | None = None


class Auth(msgspec.Struct, rename="camel"):
    """The grounds of a log-in and the project that the token is for."""

    password_credentials: PasswordCredentials | None = None
    token: TokenCredentials | None = None
    tenant_id: str | None = None
    tenant_name: str | None = None


class TokenRequest(msgspec.Struct):
    """The body of `POST /v2.0/tokens`."""

    auth: Auth | None = None


class V2:
    """The endpoints of v2.0."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def endpoints(self) -> tuple[Endpoint, ...]:
        """List them."""
        return (
            Endpoint("POST", "/v2.0/tokens", self.issue, auth=False, slow=True),
            Endpoint("GET", "/v2.0/tenants", tenants),
        )

    def issue(self, call: Call) -> Answer:
        """`POST /v2.0/tokens`: a token for one project.

        400 for a body that lacks something; 401 for a wrong name, password or token; 403 for a
        user or project that is disabled, and for a project in which the user has no role.
        """
        auth = expect(decode(call.body, TokenRequest).auth, "auth", "request body")
        scope = ProjectReference(auth.tenant_id or None, auth.tenant_name or None)
        expect(scope.id or scope.name, "tenantId or tenantName", "auth")
        issued = call.identity.issue(_prove(call, auth), scope)
        return Answer(200, self._access(call, issued))

    def _access(self, call: Call, issued: Issued) -> dict[str, Any]:
        who = issued.valid.credentials
        held = sorted(who.roles)
        project = issued.project
        tenant = {} if project is None else {"tenant": _tenant(project)}
        return {
            "access": {
                "token": {
                    "id": issued.token,
                    "expires": iso(who.expires_at),
                    "issued_at": iso_micro(who.issued_at),
                    **tenant,
                },
                "serviceCatalog": self._catalog.v2(call.base, who.project_id),
                "user": {
                    "id": who.user_id,
                    "username": who.user_name,
                    "name": who.user_name,
                    "roles": [{"name": role} for role in held],
                    "roles_links": [],
                },
                "metadata": {"roles": [ROLES[role] for role in held], "is_admin": 0},
            }
        }


def _prove(call: Call, auth: Auth) -> Proof:
    if auth.password_credentials is not None:
        part = auth.password_credentials
        where = "passwordCredentials"
        expect(part.user_id or part.username, "username or userId", where)
        password = expect(part.password, "password", where)
        return call.identity.authenticate(
            password, user_id=part.user_id or None, name=part.username
        )
    token = expect(auth.token, "passwordCredentials or token", "auth")
    return call.identity.authenticate_token(expect(token.id, "id", "token"))


def _tenant(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "groupId": project.id,  # organizations are not modelled: each project is its own group
        "description": project.description,
        "enabled": project.enabled,
        "project_domain": "NORMAL",
    }


def tenants(call: Call) -> Answer:
    """`GET /v2.0/tenants`: the projects in which the caller has a role."""
    own = call.identity.accounts.projects(user_id=call.credentials.user_id, enabled=True)
    return Answer(body={"tenants": [_tenant(project) for project in own], "tenants_links": []})
