"""Projects, users and roles: what an administrator keeps."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from hanok.api.identity.passwords import NOBODY, Passwords
from hanok.model.errors import Conflict, Invalid, NotFound, Unauthorized
from hanok.model.moments import Clock
from hanok.store import identity as rows
from hanok.store.database import Database, Reader, Transaction
from hanok.store.identity import Assignment, Changes, Project, User

ROLES: Mapping[str, str] = {
    name: uuid.uuid5(uuid.NAMESPACE_URL, f"hanok:role:{name}").hex
    for name in ("admin", "member", "reader")
}
"""The roles that there are, each with its id."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a user is made from; without a password nobody can log in as him."""

    name: str
    password: str | None = None
    description: str = ""
    email: str = ""
    enabled: bool = True
    default_project_id: str | None = None


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What a first start made; the passwords are kept nowhere else."""

    project: Project
    member: User
    member_password: str
    admin: User
    admin_password: str


class Accounts:
    """Keeps projects, users and roles.

    `in_use` tells whether a region still holds anything of a project; such a project stays.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        passwords: Passwords,
        in_use: Callable[[str], bool] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._in_use = in_use

    def _new_id(self) -> str:
        return self._clock.new_id().replace("-", "")

    def projects(
        self, *, name: str | None = None, enabled: bool | None = None, user_id: str | None = None
    ) -> list[Project]:
        """Return projects by name; of `user_id`: those in which the user has a role."""
        with self._database.read() as reader:
            return rows.all_projects(reader, name=name, enabled=enabled, user_id=user_id)

    def project(self, project_id: str) -> Project:
        """Return a project; raises NotFound."""
        with self._database.read() as reader:
            return _found_project(reader, project_id)

    def create_project(self, name: str, *, description: str = "", enabled: bool = True) -> Project:
        """Make a project; raises Conflict when its name is taken."""
        project = Project(self._new_id(), name, description, enabled)
        with self._database.write() as tx:
            rows.add_project(tx, project, self._clock.now())
        return project

    def change_project(self, project_id: str, changes: Changes) -> Project:
        """Change name, description or enabled; disabling a project voids its tokens.

        Raises NotFound, and Conflict when the new name is taken.
        """
        with self._database.write() as tx:
            if changes and not rows.change_project(tx, project_id, changes):
                raise _no_project(project_id)
            return _found_project(tx, project_id)

    def delete_project(self, project_id: str) -> None:
        """Delete a project; raises NotFound, and Conflict while a region holds things of it."""
        if self._in_use is not None and self._in_use(project_id):
            raise Conflict("The project still owns servers or volumes.")
        with self._database.write() as tx:
            if not rows.delete_project(tx, project_id):
                raise _no_project(project_id)

    def users(self, *, name: str | None = None, enabled: bool | None = None) -> list[User]:
        """Return users by name."""
        with self._database.read() as reader:
            return rows.all_users(reader, name=name, enabled=enabled)

    def user(self, user_id: str) -> User:
        """Return a user; raises NotFound."""
        with self._database.read() as reader:
            return _found_user(reader, user_id)

    def create_user(self, new: NewUser) -> User:
        """Make a user; raises Conflict when his name is taken, Invalid for no such project."""
        user, password_hash = self._prepared(new)
        with self._database.write() as tx:
            _check_default(tx, new.default_project_id)
            rows.add_user(tx, user, password_hash, self._clock.now())
        return user

    def _prepared(self, new: NewUser) -> tuple[User, str]:
        columns = asdict(new)
        password = columns.pop("password")
        user = User(id=self._new_id(), **columns)
        return user, NOBODY if password is None else self._passwords.hash(password)

    def change_user(self, user_id: str, changes: Changes, *, password: str | None = None) -> User:
        """Change columns of a user, and his password; either disabling or that voids his tokens.

        Raises NotFound, Conflict when the new name is taken, Invalid for no such default project.
        """
        columns = dict(changes)
        if password is not None:
            columns["password_hash"] = self._passwords.hash(password)
        default = columns.get("default_project_id")
        with self._database.write() as tx:
            _check_default(tx, default if isinstance(default, str) else None)
            if columns and not rows.change_user(tx, user_id, columns):
                raise _no_user(user_id)
            return _found_user(tx, user_id)

    def replace_password(self, user_id: str, original: str, password: str) -> None:
        """Change a password for one who knows it; voids the user's tokens. Raises Unauthorized."""
        with self._database.read() as reader:
            login = rows.login(reader, user_id=user_id)
        if not self._passwords.matches(login.password_hash if login else None, original):
            raise Unauthorized("The original password is not right.")
        self.change_user(user_id, {}, password=password)

    def delete_user(self, user_id: str) -> None:
        """Delete a user with his roles and tokens; raises NotFound."""
        with self._database.write() as tx:
            if not rows.delete_user(tx, user_id):
                raise _no_user(user_id)

    def assign(self, user_id: str, project_id: str, role: str) -> None:
        """Give a user a role in a project, or leave it with him; raises NotFound."""
        _check_role(role)
        try:
            with self._database.write() as tx:
                if rows.lock_user(tx, user_id) is None:
                    raise _no_user(user_id)
                if rows.lock_project(tx, project_id) is None:
                    raise _no_project(project_id)
                if role not in rows.roles(tx, user_id, project_id):
                    rows.assign(tx, user_id, project_id, role)
        except Conflict:
            return  # another call gave it at the same moment

    def unassign(self, user_id: str, project_id: str, role: str) -> None:
        """Take a role from a user; with his last one go his tokens. Raises NotFound."""
        with self._database.write() as tx:
            if not rows.unassign(tx, user_id, project_id, role):
                raise NotFound("Could not find role assignment.")

    def roles(self, user_id: str, project_id: str) -> frozenset[str]:
        """Return a user's roles in a project; raises NotFound."""
        with self._database.read() as reader:
            _found_user(reader, user_id)
            _found_project(reader, project_id)
            return rows.roles(reader, user_id, project_id)

    def assignments(
        self,
        *,
        user_id: str | None = None,
        project_id: str | None = None,
        role: str | None = None,
    ) -> list[Assignment]:
        """Return role assignments by project and user."""
        with self._database.read() as reader:
            return rows.assignments(reader, user_id=user_id, project_id=project_id, role=role)

    def bootstrap(self, project: str, member: str, admin: str) -> Bootstrap | None:
        """Make the first project, a member of it and an administrator, in one transaction.

        Their passwords have 128 random bits. Returns None when there are users already; raises
        Conflict when another process does the same at that moment.
        """
        with self._database.read() as reader:
            if rows.has_users(reader):
                return None
        now = self._clock.now()
        made = Project(self._new_id(), project, "", enabled=True)
        passwords = [self._clock.random_bytes(16).hex() for _ in range(2)]
        users = [
            self._prepared(NewUser(name, password, default_project_id=made.id))
            for name, password in zip((member, admin), passwords, strict=True)
        ]
        with self._database.write() as tx:
            if rows.has_users(tx):
                return None
            rows.add_project(tx, made, now)
            for (user, password_hash), role in zip(users, ("member", "admin"), strict=True):
                rows.add_user(tx, user, password_hash, now)
                rows.assign(tx, user.id, made.id, role)
        return Bootstrap(made, users[0][0], passwords[0], users[1][0], passwords[1])


def _found_project(reader: Reader, project_id: str) -> Project:
    project = rows.project(reader, project_id)
    if project is None:
        raise _no_project(project_id)
    return project


def _found_user(reader: Reader, user_id: str) -> User:
    user = rows.user(reader, user_id)
    if user is None:
        raise _no_user(user_id)
    return user


def _check_default(tx: Transaction, project_id: str | None) -> None:
    if project_id is not None and rows.lock_project(tx, project_id) is None:
        raise Invalid(f"There is no project {project_id} to be the user's default.")


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise NotFound(f"Could not find role: {role}.")


def _no_project(project_id: str) -> NotFound:
    return NotFound(f"Could not find project: {project_id}.")


def _no_user(user_id: str) -> NotFound:
    return NotFound(f"Could not find user: {user_id}.")
