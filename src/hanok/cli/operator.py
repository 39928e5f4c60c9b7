"""What an operator keeps: projects, users, flavors, images; all through the public API."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, BinaryIO, ParamSpec

from cyclopts import App, Parameter

from hanok.cli.client import Client, ClientError, find_login
from hanok.config import ConfigError

_P = ParamSpec("_P")

project = App(name="project")
user = App(name="user")
flavor = App(name="flavor")
image = App(name="image")

State = Annotated[
    Path | None,
    Parameter(help="The region's state directory, to act as its administrator."),
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Where:
    """Which region, and as whom."""

    state: State = None
    region: Annotated[
        str | None, Parameter(help="The region; the first one unless said otherwise.")
    ] = None


_HERE = Where()


def _reporting(command: Callable[_P, None]) -> Callable[_P, int]:
    """Turn a failure into one sentence on stderr and exit code 1."""

    @wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> int:
        try:
            command(*args, **kwargs)
        except (ClientError, ConfigError) as error:
            print(f"hanok: {error}", file=sys.stderr)
            return 1
        return 0

    return run


def _client(state: Path | None, region: str | None = None) -> Client:
    return Client(find_login(state, region))


def _show_table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print columns that are as wide as they need to be, whatever reads them."""
    lines = [[*titles], *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None or value == "" else str(value)


def _show(values: Mapping[str, Any]) -> None:
    """Print one object, a property a line."""
    width = max(map(len, values))
    for name, value in values.items():
        print(f"{name.ljust(width)}  {_cell(value)}")


# -- projects and users --------------------------------------------------------------------------


@project.command(name="add")
@_reporting
def add_project(name: str, *, description: str = "", state: State = None) -> None:
    """Make a project.

    Parameters
    ----------
    name
        Its name, not yet taken.
    description
        What it is for.
    """
    body = {"project": {"name": name, "description": description}}
    made = _client(state).identity("POST", "/projects", body)["project"]
    _show({"id": made["id"], "name": made["name"]})


@project.command(name="list")
@_reporting
def list_projects(*, state: State = None) -> None:
    """List the projects."""
    found = _client(state).identity("GET", "/projects")["projects"]
    _show_table(
        ("NAME", "ID", "ENABLED", "DESCRIPTION"),
        [(one["name"], one["id"], one["enabled"], one["description"]) for one in found],
    )


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Limits:
    """A project's limits by their names in the API; None leaves one as it is."""

    instances: int | None = None
    cores: int | None = None
    ram: Annotated[int | None, Parameter(help="The memory of all instances in MiB.")] = None
    key_pairs: Annotated[int | None, Parameter(help="For each of its users.")] = None
    metadata_items: Annotated[int | None, Parameter(help="For each instance.")] = None


_AS_THEY_ARE = Limits()


@project.command(name="quota")
@_reporting
def project_quota(name: str, *, limits: Limits = _AS_THEY_ARE, where: Where = _HERE) -> None:
    """Show a project's limits in a region, after changing those that are given.

    Parameters
    ----------
    name
        The project's name or id.
    limits
        How many it may have; -1: as many as it likes.
    """
    client = _client(where.state, where.region)
    path = f"/os-quota-sets/{_find(client, 'project', name)['id']}"
    changes = {limit: most for limit, most in asdict(limits).items() if most is not None}
    if changes:
        client.compute("PUT", path, {"quota_set": changes})
    shown = client.compute("GET", f"{path}/detail")["quota_set"]
    rows = [(one, shown[one]["limit"], shown[one]["in_use"]) for one in asdict(limits)]
    _show_table(("LIMIT", "MOST", "IN USE"), rows)


@user.command(name="add")
@_reporting
def add_user(
    name: str,
    *,
    project: str,
    role: str = "member",
    password_stdin: Annotated[bool, Parameter(negative=())] = False,
    state: State = None,
) -> None:
    """Make a user with a role in a project, and print his password.

    Parameters
    ----------
    name
        His name, not yet taken.
    project
        The project's name or id; his default project, too.
    role
        admin, member or reader.
    password_stdin
        Read his password from the standard input; without it one is made up and printed.
    """
    client = _client(state)
    owner = _find(client, "project", project)
    held = _find(client, "role", role)
    password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_hex(16)
    body = {"name": name, "password": password, "default_project_id": owner["id"]}
    made = client.identity("POST", "/users", {"user": body})["user"]
    path = f"/projects/{owner['id']}/users/{made['id']}/roles/{held['id']}"
    try:
        client.identity("PUT", path)
    except ClientError:
        # Half a user is worse than none: the command can be repeated.
        client.identity("DELETE", f"/users/{made['id']}")
        raise
    shown = {"id": made["id"], "name": name, "project": owner["name"], "role": role}
    _show(shown if password_stdin else {**shown, "password": password})


@user.command(name="list")
@_reporting
def list_users(*, state: State = None) -> None:
    """List the users with their roles, as project:role."""
    client = _client(state)
    found = client.identity("GET", "/users")["users"]
    given = client.identity("GET", "/role_assignments?include_names=true")["role_assignments"]
    roles: dict[str, list[str]] = {}
    for one in given:
        text = f"{one['scope']['project']['name']}:{one['role']['name']}"
        roles.setdefault(one["user"]["id"], []).append(text)
    _show_table(
        ("NAME", "ID", "ENABLED", "ROLES"),
        [
            (one["name"], one["id"], one["enabled"], " ".join(sorted(roles.get(one["id"], []))))
            for one in found
        ],
    )


def _find(client: Client, kind: str, reference: str) -> Mapping[str, Any]:
    """Return the project or role of that id or name; raises ClientError."""
    found = client.identity("GET", f"/{kind}s")[f"{kind}s"]
    for key in ("id", "name"):
        for one in found:
            if one[key] == reference:
                return dict(one)
    known = ", ".join(sorted(one["name"] for one in found))
    raise ClientError(f"There is no {kind} {reference}; there are: {known}.")


# -- flavors -------------------------------------------------------------------------------------


@flavor.command(name="add")
@_reporting
def add_flavor(*, name: str, vcpus: int, ram: int, disk: int = 0, where: Where = _HERE) -> None:
    """Make a flavor that every project may use.

    Parameters
    ----------
    name
        Its name, such as m2.c1m2.
    vcpus
        The number of virtual CPUs.
    ram
        The memory in MiB.
    disk
        The local root disk in GB; 0: servers of this flavor boot from a volume.
    """
    body = {"name": name, "vcpus": vcpus, "ram": ram, "disk": disk}
    made = _client(where.state, where.region).compute("POST", "/flavors", {"flavor": body})[
        "flavor"
    ]
    _show({"id": made["id"], "name": made["name"]})


@flavor.command(name="list")
@_reporting
def list_flavors(*, where: Where = _HERE) -> None:
    """List the flavors."""
    found = _client(where.state, where.region).compute("GET", "/flavors/detail")["flavors"]
    _show_table(
        ("NAME", "ID", "VCPUS", "RAM MIB", "DISK GB"),
        [(one["name"], one["id"], one["vcpus"], one["ram"], one["disk"]) for one in found],
    )


# -- images --------------------------------------------------------------------------------------


@image.command(name="add")
@_reporting
def add_image(
    file: Path,
    *,
    name: str,
    format: str,  # noqa: A002 - the option's name
    property: Annotated[tuple[str, ...], Parameter(negative=())] = (),  # noqa: A002
    private: Annotated[bool, Parameter(negative=())] = False,
    where: Where = _HERE,
) -> None:
    """Register a disk image and upload its bytes.

    Parameters
    ----------
    file
        The image's file.
    name
        The image's name.
    format
        The format of the file: qcow2 or raw. It is never guessed.
    property
        key=value, such as os_type=linux or login_username=debian; can be repeated.
    private
        Only for the administrator's own project, not for all.
    """
    body = {
        **_properties(property),
        "name": name,
        "disk_format": format,
        "container_format": "bare",
        "visibility": "private" if private else "public",
    }
    client = _client(where.state, where.region)
    try:
        with file.open("rb") as opened:
            image_id = _upload(client, body, opened)
    except OSError as error:
        raise ClientError(f"{file} cannot be read: {error.strerror}.") from error
    _show({"id": image_id, "name": name, "bytes": file.stat().st_size})


def _upload(client: Client, body: Mapping[str, Any], file: BinaryIO) -> str:
    """Register an image and send its bytes, or leave nothing; return its id."""
    image_id = str(client.image("POST", "/images", body)["id"])
    try:
        client.upload(image_id, file, os.fstat(file.fileno()).st_size)
    except BaseException:
        client.image("DELETE", f"/images/{image_id}")
        raise
    return image_id


def _properties(pairs: Iterable[str]) -> dict[str, str]:
    """Split key=value pairs; raises ClientError."""
    values = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise ClientError(f"A property is key=value, not '{pair}'.")
        values[key] = value
    return values


@image.command(name="list")
@_reporting
def list_images(*, where: Where = _HERE) -> None:
    """List the images."""
    _show_table(
        ("NAME", "ID", "STATUS", "FORMAT", "BYTES", "VISIBILITY"),
        [
            (
                one["name"],
                one["id"],
                one["status"],
                one["disk_format"],
                one["size"],
                one["visibility"],
            )
            for one in _client(where.state, where.region).images()
        ],
    )
