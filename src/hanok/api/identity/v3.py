"""Identity v3's tokens, and what a token's owner may ask about himself."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.identity.accounts import ROLES
from hanok.api.identity.catalog import Catalog
from hanok.api.identity.service import (
    AUTHENTICATE,
    ProjectReference,
    Proof,
    digest,
)
from hanok.api.identity.views import DOMAIN, DomainReference, expect, listed, project_view
from hanok.model.errors import Forbidden, Invalid, Unauthorized
from hanok.model.moments import iso_micro
from hanok.store.identity import ValidToken


class UserReference(msgspec.Struct):
    """Who logs in: an id, or a name and its domain; and the password."""

    id: str | None = None
    name: str | None = None
    domain: DomainReference | None = None
    password: str | None = None


class PasswordMethod(msgspec.Struct):
    """The method `password`."""

    user: UserReference | None = None


class TokenMethod(msgspec.Struct):
    """The method `token`."""

    id: str | None = None


class Grounds(msgspec.Struct):
    """`auth.identity`: the methods, and for each its own part."""

    methods: list[str] | None = None
    password: PasswordMethod | None = None
    token: TokenMethod | None = None


class ScopedProject(msgspec.Struct):
    """A project: an id, or a name and its domain."""

    id: str | None = None
    name: str | None = None
    domain: DomainReference | None = None


class Scope(msgspec.Struct):
    """`auth.scope`: what the token is for."""

    project: ScopedProject | None = None
    domain: DomainReference | None = None
    system: dict[str, object] | None = None


class Auth(msgspec.Struct):
    """`auth`; without a scope the user's default project is taken."""

    identity: Grounds | None = None
    scope: Scope | str | None = None


class TokenRequest(msgspec.Struct):
    """The body of `POST /v3/auth/tokens`."""

    auth: Auth | None = None


class V3:
    """The endpoints of v3 that concern tokens."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def endpoints(self) -> tuple[Endpoint, ...]:
        """List them."""
        return (
            Endpoint("POST", "/v3/auth/tokens", self.issue, auth=False, slow=True),
            Endpoint("GET", "/v3/auth/tokens", self.show),
            Endpoint("DELETE", "/v3/auth/tokens", revoke),
            Endpoint("GET", "/v3/auth/catalog", self.catalog),
            Endpoint("GET", "/v3/auth/projects", own_projects),
        )

    def issue(self, call: Call) -> Answer:
        """`POST /v3/auth/tokens`: 201, the token's text in `X-Subject-Token`.

        400 for a body that lacks something, 401 for everything else that keeps the caller out.
        """
        auth = expect(decode(call.body, TokenRequest).auth, "auth", "request body")
        grounds = expect(auth.identity, "identity", "auth")
        methods = expect(grounds.methods or None, "methods", "identity")
        scope, or_default = _scope(auth.scope)
        try:
            proof = _prove(call, grounds, methods)
            if isinstance(auth.scope, Scope) and scope is None:
                raise Forbidden("The user has no role in that domain or system.")
            issued = call.identity.issue(proof, scope, or_default=or_default)
        except Forbidden as error:
            raise Unauthorized(error.message, detail=error.detail) from error
        body = self._token(call, issued.token, issued.valid)
        return Answer(201, body, headers=_subject(issued.token))

    def show(self, call: Call) -> Answer:
        """`GET` and `HEAD /v3/auth/tokens`: what the token in `X-Subject-Token` stands for."""
        token, valid = _examined(call)
        return Answer(200, self._token(call, token, valid), headers=_subject(token))

    def catalog(self, call: Call) -> Answer:
        """`GET /v3/auth/catalog`: the catalog of the caller's project."""
        if not call.credentials.project_id:
            raise Forbidden("A token without a project has no catalog.")
        body = {
            "catalog": self._catalog.v3(call.base, call.credentials.project_id),
            "links": {"self": f"{call.base.identity}/v3/auth/catalog"},
        }
        return Answer(body=body)

    def _token(self, call: Call, token: str, valid: ValidToken) -> dict[str, Any]:
        who = valid.credentials
        body: dict[str, Any] = {
            "methods": valid.methods,
            "user": {
                "id": who.user_id,
                "name": who.user_name,
                "domain": DOMAIN,
                "password_expires_at": None,
            },
            "audit_ids": [_audit_id(token)],
            "issued_at": f"{iso_micro(who.issued_at)}Z",
            "expires_at": f"{iso_micro(who.expires_at)}Z",
        }
        if who.project_id:
            body["project"] = {"id": who.project_id, "name": who.project_name, "domain": DOMAIN}
            body["is_domain"] = False
            body["roles"] = [{"id": ROLES[role], "name": role} for role in sorted(who.roles)]
            if call.query.get("nocatalog") is None:
                body["catalog"] = self._catalog.v3(call.base, who.project_id)
        return {"token": body}


def _subject(token: str) -> dict[str, str]:
    return {"X-Subject-Token": token, "Vary": "X-Auth-Token"}


def _audit_id(token: str) -> str:
    """Return a name for a token that can be logged: 22 characters, no way back to its text."""
    return base64.urlsafe_b64encode(digest(f"audit:{token}")[:16]).decode().rstrip("=")


def _scope(scope: Scope | str | None) -> tuple[ProjectReference | None, bool]:
    """Return the project asked for, and whether the user's default project may be taken."""
    if scope is None:
        return None, True
    if isinstance(scope, str):
        if scope != "unscoped":
            raise Invalid(f"Invalid input for field/attribute scope. '{scope}' is not 'unscoped'.")
        return None, False
    if [scope.project, scope.domain, scope.system].count(None) != 2:
        raise Invalid("Expecting to find exactly one of project, domain and system in scope.")
    if scope.project is None:
        return None, False
    if scope.project.id is not None:
        return ProjectReference(id=scope.project.id), False
    name = expect(scope.project.name, "id or name", "project")
    domain = expect(scope.project.domain, "domain", "project")
    # Another domain has no projects; a reference that names none finds none.
    return ProjectReference(name=name) if domain.is_default else ProjectReference(), False


def _prove(call: Call, grounds: Grounds, methods: list[str]) -> Proof:
    """Try every method that is named; all must succeed and be about one user."""
    proofs: list[Proof] = []
    for method in dict.fromkeys(methods):
        if method == "password":
            part = expect(grounds.password, "password", "identity")
            proofs.append(_prove_password(call, expect(part.user, "user", "password")))
        elif method == "token":
            token = expect(grounds.token, "token", "identity")
            proof = call.identity.authenticate_token(expect(token.id, "id", "token"))
            proofs.append(proof)
        else:
            raise Unauthorized("Attempted to authenticate with an unsupported method.")
    first, *others = proofs
    for other in others:
        if other.user_id != first.user_id:
            raise Unauthorized(AUTHENTICATE, detail="password and token of different users")
        first = first.with_(other)
    return first


def _prove_password(call: Call, user: UserReference) -> Proof:
    password = expect(user.password, "password", "user")
    if user.id is not None:
        return call.identity.authenticate(password, user_id=user.id)
    name = expect(user.name, "id or name", "user")
    domain = expect(user.domain, "domain", "user")
    return call.identity.authenticate(password, name=name if domain.is_default else None)


def _examined(call: Call) -> tuple[str, ValidToken]:
    """Return the token that the call is about; raises NotFound, and Forbidden for another's."""
    token = call.headers.get("x-subject-token", "")
    valid = call.identity.examine(token)
    if valid.credentials.user_id != call.credentials.user_id and not call.credentials.is_admin:
        raise Forbidden("You are not authorized to see or revoke another user's token.")
    return token, valid


def revoke(call: Call) -> Answer:
    """`DELETE /v3/auth/tokens`: end the token in `X-Subject-Token`."""
    token, _ = _examined(call)
    call.identity.revoke(token)
    return Answer(204)


def own_projects(call: Call) -> Answer:
    """`GET /v3/auth/projects`: the projects that the caller can get a token for."""
    own = call.identity.accounts.projects(user_id=call.credentials.user_id, enabled=True)
    views = [project_view(project, call.base.identity) for project in own]
    return Answer(body=listed(call, "projects", "auth/projects", views))
