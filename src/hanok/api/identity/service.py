"""Identity: tells who calls, and lets people log in and out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from hanok.api.identity.accounts import Accounts, Bootstrap
from hanok.api.identity.passwords import Passwords
from hanok.model.credentials import Credentials
from hanok.model.errors import Forbidden, NotFound, Unauthorized
from hanok.model.moments import SECOND, Clock
from hanok.store import identity as rows
from hanok.store.database import Database, Transaction
from hanok.store.identity import NewToken, Project, User, ValidToken

AUTHENTICATE = "The request you have made requires authentication."
_TOKEN_BYTES = 16
_PURGE_EVERY = 600 * SECOND


@dataclass(frozen=True, slots=True)
class ProjectReference:
    """A project as a client names it: by id, or else by name."""

    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """Who somebody is, and on which grounds; a token is issued while these hold.

    `expires_at` (microseconds) is the end of the token that was shown: no token outlives the one
    that it was made from.
    """

    user_id: str
    methods: tuple[str, ...]
    password_hash: str | None = None
    token_hash: bytes | None = None
    expires_at: int | None = None

    def with_(self, other: Proof) -> Proof:
        """Return what both proofs of one user say together."""
        return Proof(
            self.user_id,
            tuple(dict.fromkeys((*self.methods, *other.methods))),
            self.password_hash or other.password_hash,
            self.token_hash or other.token_hash,
            self.expires_at or other.expires_at,
        )


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token: its text, which is kept nowhere, and what it stands for."""

    token: str
    valid: ValidToken
    project: Project | None


class Identity:
    """Checks, issues and revokes tokens; `accounts` keeps projects, users and roles.

    Tokens are 128 random bits, stored as their SHA-256. Nothing is cached: a token that was
    revoked, or whose user or project was disabled, is refused from the next request on.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        token_seconds: int = 43_200,
        passwords: Passwords | None = None,
        in_use: Callable[[str], bool] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lifetime = token_seconds * SECOND
        self._passwords = passwords or Passwords()
        self._purge_at = 0
        self.accounts = Accounts(database, clock, self._passwords, in_use)

    def check(self, token: str) -> Credentials:
        """Return what a token stands for; raises Unauthorized. One indexed read."""
        valid = self._valid(token)
        if valid is None:
            raise Unauthorized(AUTHENTICATE)
        return valid.credentials

    def examine(self, token: str) -> ValidToken:
        """Return what somebody's token stands for; raises NotFound."""
        valid = self._valid(token)
        if valid is None:
            raise NotFound("Could not find token.")
        return valid

    def _valid(self, token: str) -> ValidToken | None:
        if not token:
            return None
        with self._database.read() as reader:
            return rows.valid_token(reader, digest(token), self._clock.now())

    def authenticate(
        self, password: str, *, user_id: str | None = None, name: str | None = None
    ) -> Proof:
        """Check a password; an unknown user costs what a wrong password does.

        With neither id nor name the user is unknown. Raises Unauthorized, Forbidden for a user
        who is disabled, and Unavailable when too many log in at once.
        """
        login = None
        if user_id is not None or name is not None:
            with self._database.read() as reader:
                login = rows.login(reader, user_id=user_id, name=name or "")
        right = self._passwords.matches(login.password_hash if login else None, password)
        if login is None or not right:
            raise Unauthorized(AUTHENTICATE, detail="unknown user or wrong password")
        if not login.user.enabled:
            raise Forbidden("The user is disabled.", detail=login.user.id)
        return Proof(login.user.id, ("password",), password_hash=login.password_hash)

    def authenticate_token(self, token: str) -> Proof:
        """Take a token as proof of who its user is; raises Unauthorized."""
        valid = self._valid(token)
        if valid is None:
            raise Unauthorized(AUTHENTICATE)
        return Proof(
            valid.credentials.user_id,
            ("token", *(method for method in valid.methods if method != "token")),
            token_hash=digest(token),
            expires_at=valid.credentials.expires_at,
        )

    def issue(
        self, proof: Proof, scope: ProjectReference | None = None, *, or_default: bool = False
    ) -> Issued:
        """Make a token for a project, or for none.

        `or_default`: without a scope, for the user's default project if he may use it. Raises
        Unauthorized when the grounds of the proof are gone, Forbidden when the user is disabled,
        has no role in the project, or the project is disabled or unknown.
        """
        now = self._clock.now()
        token = self._clock.random_bytes(_TOKEN_BYTES).hex()
        expires_at = now + self._lifetime
        if proof.expires_at is not None:
            expires_at = min(expires_at, proof.expires_at)
        with self._database.write() as tx:
            user = _proven(tx, proof, now)
            project, held = self._scope(tx, user, scope, or_default=or_default)
            project_id = project.id if project else None
            methods = ",".join(proof.methods)
            stored = NewToken(digest(token), user.id, project_id, methods, now, expires_at)
            rows.add_token(tx, stored)
            self._purge(tx, now)
        name = project.name if project else ""
        meaning = Credentials(user.id, user.name, project_id or "", name, held, now, expires_at)
        return Issued(token, ValidToken(meaning, proof.methods), project)

    def _scope(
        self, tx: Transaction, user: User, scope: ProjectReference | None, *, or_default: bool
    ) -> tuple[Project | None, frozenset[str]]:
        if scope is not None:
            return _usable(tx, user, scope)
        if or_default and user.default_project_id is not None:
            # A default that cannot be used means a token without a project.
            with suppress(Forbidden):
                return _usable(tx, user, ProjectReference(id=user.default_project_id))
        return None, frozenset()

    def _purge(self, tx: Transaction, now: int) -> None:
        """Delete expired tokens, once in a while, as part of a log-in's transaction."""
        if now >= self._purge_at:
            rows.purge_tokens(tx, now)
            self._purge_at = now + _PURGE_EVERY

    def revoke(self, token: str) -> None:
        """End a token; one that is not there is ended already."""
        with self._database.write() as tx:
            rows.delete_token(tx, digest(token))

    def bootstrap(
        self, *, project: str = "demo", member: str = "demo", admin: str = "admin"
    ) -> Bootstrap | None:
        """Make the first project and users with random passwords; see `Accounts.bootstrap`."""
        return self.accounts.bootstrap(project, member, admin)


def digest(token: str) -> bytes:
    """Return what is stored of a token: SHA-256, 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


def _proven(tx: Transaction, proof: Proof, now: int) -> User:
    """Return the user while nothing that the proof rests on was withdrawn; holds his row."""
    login = rows.lock_user(tx, proof.user_id)
    if login is None or proof.password_hash not in (None, login.password_hash):
        raise Unauthorized(AUTHENTICATE)
    if proof.token_hash is not None and rows.valid_token(tx, proof.token_hash, now) is None:
        raise Unauthorized(AUTHENTICATE)
    if not login.user.enabled:
        raise Forbidden("The user is disabled.")
    return login.user


def _usable(tx: Transaction, user: User, scope: ProjectReference) -> tuple[Project, frozenset[str]]:
    """Return a project and the user's roles in it; holds the project's row."""
    project = None
    if scope.id is not None:
        project = rows.lock_project(tx, scope.id)
    elif scope.name is not None:
        named = rows.project_named(tx, scope.name)
        project = rows.lock_project(tx, named.id) if named else None
    held = rows.roles(tx, user.id, project.id) if project else frozenset[str]()
    if project is None or not held:
        # The same words for both: nobody learns which projects there are.
        raise Forbidden("The user has no role in the project.")
    if not project.enabled:
        raise Forbidden("The project is disabled.")
    return project, held
