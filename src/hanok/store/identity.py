"""Identity's statements: projects, users, the roles of users in projects, tokens.

A change that ends tokens updates its user or project first and deletes the tokens second, and
whoever issues a token holds the same row (`lock_user`, `lock_project`): so no token is issued on
grounds that were withdrawn meanwhile, on either database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import (
    and_,
    bindparam,
    delete,
    exists,
    false,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

from hanok.model.credentials import Credentials
from hanok.model.errors import Conflict
from hanok.store.columns import json_rows
from hanok.store.database import Reader, Transaction
from hanok.store.identity_tables import projects, role_assignments, tokens, users

Changes = Mapping[str, str | bool | None]


@dataclass(frozen=True, slots=True)
class Project:
    """A project: what owns servers and what a token is for."""

    id: str
    name: str
    description: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class User:
    """A user; `default_project_id` is used by a log-in that names no project."""

    id: str
    name: str
    description: str
    email: str
    enabled: bool
    default_project_id: str | None


@dataclass(frozen=True, slots=True)
class Login:
    """A user with what his password is checked against."""

    user: User
    password_hash: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role of a user in a project."""

    user_id: str
    user_name: str
    project_id: str
    project_name: str
    role: str


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be stored: `hash` is the SHA-256 of its text; moments in microseconds."""

    hash: bytes
    user_id: str
    project_id: str | None
    methods: str
    issued_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class ValidToken:
    """What a token stands for, and the methods that it was asked for with."""

    credentials: Credentials
    methods: tuple[str, ...]


@contextmanager
def _alone(message: str) -> Iterator[None]:
    """Turn a row that already exists into a Conflict."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(message) from error


_project_columns = [projects.c[field.name] for field in fields(Project)]
_one_project = select(*_project_columns).where(projects.c.id == bindparam("of"))
_project_by_name = select(*_project_columns).where(projects.c.name == bindparam("of"))
_lock_project = _one_project.with_for_update(read=True)


def project(reader: Reader, project_id: str) -> Project | None:
    """Return a project."""
    row = reader.first(_one_project, {"of": project_id})
    return None if row is None else Project(**row._mapping)


def project_named(reader: Reader, name: str) -> Project | None:
    """Return the project of that name."""
    row = reader.first(_project_by_name, {"of": name})
    return None if row is None else Project(**row._mapping)


def lock_project(tx: Transaction, project_id: str) -> Project | None:
    """Return a project that nobody changes until this transaction ends."""
    row = tx.first(_lock_project, {"of": project_id})
    return None if row is None else Project(**row._mapping)


def all_projects(
    reader: Reader, *, name: str | None, enabled: bool | None, user_id: str | None
) -> list[Project]:
    """Return the projects, by name; of `user_id`: those in which the user has a role."""
    statement = select(*_project_columns).order_by(projects.c.name)
    if name is not None:
        statement = statement.where(projects.c.name == name)
    if enabled is not None:
        statement = statement.where(projects.c.enabled == (true() if enabled else false()))
    if user_id is not None:
        mine = select(role_assignments.c.project_id).where(role_assignments.c.user_id == user_id)
        statement = statement.where(projects.c.id.in_(mine))
    return [Project(**row._mapping) for row in reader.rows(statement)]


def add_project(tx: Transaction, new: Project, now: int) -> None:
    """Store a project; raises Conflict when its name is taken."""
    with _alone(f"There is already a project named '{new.name}'."):
        tx.run(insert(projects), {**asdict(new), "created_at": now})


_end_project = delete(tokens).where(tokens.c.project_id == bindparam("of"))


def change_project(tx: Transaction, project_id: str, changes: Changes) -> bool:
    """Change columns of a project; tell whether it exists. Disabling it ends its tokens."""
    with _alone("There is already a project of that name."):
        if not tx.run(update(projects).where(projects.c.id == project_id).values(**changes)):
            return False
    if changes.get("enabled") is False:
        tx.run(_end_project, {"of": project_id})
    return True


_delete_project = delete(projects).where(projects.c.id == bindparam("of"))


def delete_project(tx: Transaction, project_id: str) -> bool:
    """Delete a project with its assignments and tokens; tell whether it was there."""
    return tx.run(_delete_project, {"of": project_id}) > 0


_user_columns = [users.c[field.name] for field in fields(User)]
_one_user = select(*_user_columns).where(users.c.id == bindparam("of"))
_login = select(*_user_columns, users.c.password_hash)
_login_by_id = _login.where(users.c.id == bindparam("of"))
_login_by_name = _login.where(users.c.name == bindparam("of"))
_lock_user = _login_by_id.with_for_update(read=True)
_some_user = select(users.c.id).limit(1)


def user(reader: Reader, user_id: str) -> User | None:
    """Return a user."""
    row = reader.first(_one_user, {"of": user_id})
    return None if row is None else User(**row._mapping)


def has_users(reader: Reader) -> bool:
    """Tell whether there is any user."""
    return reader.first(_some_user) is not None


def login(reader: Reader, *, user_id: str | None = None, name: str = "") -> Login | None:
    """Return a user with his password's hash, by id or else by name."""
    if user_id is not None:
        return _as_login(reader.first(_login_by_id, {"of": user_id}))
    return _as_login(reader.first(_login_by_name, {"of": name}))


def lock_user(tx: Transaction, user_id: str) -> Login | None:
    """Return a user whom nobody changes until this transaction ends."""
    return _as_login(tx.first(_lock_user, {"of": user_id}))


def _as_login(row: Any) -> Login | None:
    if row is None:
        return None
    columns = dict(row._mapping)
    password_hash = columns.pop("password_hash")
    return Login(User(**columns), password_hash)


def all_users(reader: Reader, *, name: str | None, enabled: bool | None) -> list[User]:
    """Return the users, by name."""
    statement = select(*_user_columns).order_by(users.c.name)
    if name is not None:
        statement = statement.where(users.c.name == name)
    if enabled is not None:
        statement = statement.where(users.c.enabled == (true() if enabled else false()))
    return [User(**row._mapping) for row in reader.rows(statement)]


def add_user(tx: Transaction, new: User, password_hash: str, now: int) -> None:
    """Store a user; raises Conflict when his name is taken."""
    values = {**asdict(new), "password_hash": password_hash, "created_at": now}
    with _alone(f"There is already a user named '{new.name}'."):
        tx.run(insert(users), values)


_end_user = delete(tokens).where(tokens.c.user_id == bindparam("of"))


def change_user(tx: Transaction, user_id: str, changes: Changes) -> bool:
    """Change columns of a user; tell whether he exists.

    Disabling him and changing his password (`password_hash`) ends his tokens.
    """
    with _alone("There is already a user of that name."):
        if not tx.run(update(users).where(users.c.id == user_id).values(**changes)):
            return False
    if changes.get("enabled") is False or "password_hash" in changes:
        tx.run(_end_user, {"of": user_id})
    return True


_delete_user = delete(users).where(users.c.id == bindparam("of"))


def delete_user(tx: Transaction, user_id: str) -> bool:
    """Delete a user with his roles and tokens; tell whether he was there."""
    return tx.run(_delete_user, {"of": user_id}) > 0


_theirs = and_(
    role_assignments.c.user_id == bindparam("of_user"),
    role_assignments.c.project_id == bindparam("of_project"),
)
_roles = select(role_assignments.c.role).where(_theirs)
_this_role = and_(_theirs, role_assignments.c.role == bindparam("of_role"))
_unassign = delete(role_assignments).where(_this_role)
_end_stranger = delete(tokens).where(
    tokens.c.user_id == bindparam("of_user"),
    tokens.c.project_id == bindparam("of_project"),
    ~exists(_roles),
)


def roles(reader: Reader, user_id: str, project_id: str) -> frozenset[str]:
    """Return the roles of a user in a project."""
    found = reader.rows(_roles, {"of_user": user_id, "of_project": project_id})
    return frozenset(row.role for row in found)


def assign(tx: Transaction, user_id: str, project_id: str, role: str) -> None:
    """Give a user a role in a project; both exist. Raises Conflict when he has it."""
    with _alone("The user already has that role in the project."):
        tx.run(
            insert(role_assignments),
            {"user_id": user_id, "project_id": project_id, "role": role},
        )


def unassign(tx: Transaction, user_id: str, project_id: str, role: str) -> bool:
    """Take a role from a user; tell whether he had it. With his last one go his tokens."""
    theirs = {"of_user": user_id, "of_project": project_id}
    had = tx.run(_unassign, {**theirs, "of_role": role}) > 0
    tx.run(_end_stranger, theirs)
    return had


_assignments = (
    select(
        users.c.id.label("user_id"),
        users.c.name.label("user_name"),
        projects.c.id.label("project_id"),
        projects.c.name.label("project_name"),
        role_assignments.c.role,
    )
    .select_from(role_assignments)
    .join(users, users.c.id == role_assignments.c.user_id)
    .join(projects, projects.c.id == role_assignments.c.project_id)
    .order_by(projects.c.name, users.c.name, role_assignments.c.role)
)


def assignments(
    reader: Reader, *, user_id: str | None, project_id: str | None, role: str | None
) -> list[Assignment]:
    """Return role assignments, by project and user."""
    statement = _assignments
    if user_id is not None:
        statement = statement.where(users.c.id == user_id)
    if project_id is not None:
        statement = statement.where(projects.c.id == project_id)
    if role is not None:
        statement = statement.where(role_assignments.c.role == role)
    return [Assignment(**row._mapping) for row in reader.rows(statement)]


_insert_token = insert(tokens)
_delete_token = delete(tokens).where(tokens.c.hash == bindparam("of"))
_purge = delete(tokens).where(tokens.c.expires_at <= bindparam("now"))
_token_roles = (
    select(json_rows({"role": role_assignments.c.role}))
    .where(
        role_assignments.c.user_id == tokens.c.user_id,
        role_assignments.c.project_id == tokens.c.project_id,
    )
    .correlate(tokens)
    .scalar_subquery()
)
_valid_token = (
    select(
        users.c.id,
        users.c.name,
        projects.c.id,
        projects.c.name,
        _token_roles,
        tokens.c.issued_at,
        tokens.c.expires_at,
        tokens.c.methods,
    )
    .select_from(tokens)
    .join(users, and_(users.c.id == tokens.c.user_id, users.c.enabled))
    .outerjoin(projects, projects.c.id == tokens.c.project_id)
    .where(
        tokens.c.hash == bindparam("of"),
        tokens.c.expires_at > bindparam("now"),
        or_(tokens.c.project_id.is_(None), projects.c.enabled),
    )
)


def add_token(tx: Transaction, new: NewToken) -> None:
    """Store a token."""
    tx.run(_insert_token, asdict(new))


def valid_token(reader: Reader, token_hash: bytes, now: int) -> ValidToken | None:
    """Return what a token stands for; None for one that is unknown, expired or void.

    A token for a project in which its user has no role any more is void.
    """
    row = reader.first(_valid_token, {"of": token_hash, "now": now})
    if row is None:
        return None
    user_id, user_name, project_id, project_name, held, issued_at, expires_at, methods = tuple(row)
    if project_id is not None and not held:
        return None
    credentials = Credentials(
        user_id,
        user_name,
        project_id or "",
        project_name or "",
        frozenset(one["role"] for one in held),
        issued_at,
        expires_at,
    )
    return ValidToken(credentials, tuple(methods.split(",")))


def delete_token(tx: Transaction, token_hash: bytes) -> bool:
    """Revoke a token; tell whether it was there."""
    return tx.run(_delete_token, {"of": token_hash}) > 0


def purge_tokens(tx: Transaction, now: int) -> int:
    """Delete the tokens that have expired; return how many."""
    return tx.run(_purge, {"now": now})
