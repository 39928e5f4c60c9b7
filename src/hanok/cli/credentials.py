"""The files that let clients in: openrc and clouds.yaml, readable by their owner only."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from hanok.app import App, IdentityAlone
from hanok.config import ConfigError

PROJECT = MEMBER = "demo"
ADMIN = "admin"
"""The names of a first start's project and its two users."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user, its password and its project."""

    username: str
    password: str
    project_id: str
    project_name: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """The two accounts of a first start."""

    member: Account
    admin: Account


def first_credentials(app: App, public_url: str, say: Callable[[str], None]) -> tuple[str, ...]:
    """Make the first project and users, or find them; write the files; return the project ids.

    A crash between making the users and writing the files leaves the marker `first-start`; the
    next start then sets new passwords, since nobody can know the old ones.
    """
    directory = app.state.path
    marker = directory / "first-start"
    known = directory / "credentials.json"
    if known.exists() and not marker.exists():
        accounts = read(known)
    else:
        marker.touch(mode=0o600)
        accounts = accounts_of(app)
        _private(known, json.dumps(asdict(accounts), indent=1))
    write(directory, accounts, public_url, app.config.regions)
    if marker.exists():
        marker.unlink()
        say(f"hanok: credentials are in {directory}/openrc and {directory}/clouds.yaml")
    return (accounts.member.project_id, accounts.admin.project_id)


def accounts_of(app: App | IdentityAlone) -> Accounts:
    """Make the two accounts, or give the ones that are there new passwords."""
    made = app.identity.bootstrap(project=PROJECT, member=MEMBER, admin=ADMIN)
    if made is None:
        return Accounts(_renewed(app, MEMBER, "member"), _renewed(app, ADMIN, "admin"))
    project = (made.project.id, made.project.name)
    return Accounts(
        member=Account(made.member.name, made.member_password, *project),
        admin=Account(made.admin.name, made.admin_password, *project),
    )


def _renewed(app: App | IdentityAlone, username: str, role: str) -> Account:
    """Give a user of the first start a new password and his role again; raises ConfigError."""
    accounts = app.identity.accounts
    users, projects = accounts.users(name=username), accounts.projects(name=PROJECT)
    for kind, name, found in (("user", username, users), ("project", PROJECT, projects)):
        if not found:
            raise ConfigError(
                f"The {kind} {name} of the first start was deleted or renamed: its accounts cannot "
                "be given new passwords."
            )
    password = secrets.token_hex(16)
    accounts.change_project(projects[0].id, {"enabled": True})
    accounts.change_user(users[0].id, {"enabled": True}, password=password)
    accounts.assign(users[0].id, projects[0].id, role)
    return Account(username, password, projects[0].id, projects[0].name)


def renew(
    app: App | IdentityAlone, directory: Path, public_url: str, regions: tuple[str, ...]
) -> None:
    """Set new passwords of both accounts and write them into the directory's files."""
    accounts = accounts_of(app)
    _private(directory / "credentials.json", json.dumps(asdict(accounts), indent=1))
    write(directory, accounts, public_url, regions)


def read(path: Path) -> Accounts:
    """Read the accounts that a first start noted."""
    values = json.loads(path.read_text())
    return Accounts(Account(**values["member"]), Account(**values["admin"]))


def write(directory: Path, accounts: Accounts, public_url: str, regions: tuple[str, ...]) -> None:
    """Write openrc (the member's) and clouds.yaml (`hanok`, `hanok-admin`)."""
    _private(directory / "openrc", _openrc(accounts.member, public_url, regions[0]))
    clouds = "clouds:\n" + _cloud("hanok", accounts.member, public_url, regions)
    clouds += _cloud("hanok-admin", accounts.admin, public_url, regions)
    _private(directory / "clouds.yaml", clouds)


def _openrc(account: Account, public_url: str, region: str) -> str:
    values = {
        "OS_AUTH_URL": f"{public_url}/v2.0",
        "OS_TENANT_ID": account.project_id,
        "OS_TENANT_NAME": account.project_name,
        "OS_USERNAME": account.username,
        "OS_PASSWORD": account.password,
        "OS_REGION_NAME": region,
    }
    return "".join(f"export {name}='{value}'\n" for name, value in values.items())


def _cloud(name: str, account: Account, public_url: str, regions: tuple[str, ...]) -> str:
    """Write one cloud in YAML; JSON's strings are YAML's, too."""
    text = json.dumps
    lines = [
        f"  {name}:",
        "    auth_type: password",
        "    auth:",
        f"      auth_url: {text(f'{public_url}/v3')}",
        f"      username: {text(account.username)}",
        f"      password: {text(account.password)}",
        f"      project_id: {text(account.project_id)}",
        "      user_domain_name: Default",
        f"    region_name: {text(regions[0])}",
        "    identity_api_version: 3",
    ]
    return "\n".join(lines) + "\n"


def _private(path: Path, text: str) -> None:
    """Write a file of mode 0600, whole or not at all."""
    partial = path.with_name(f".{path.name}.new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
