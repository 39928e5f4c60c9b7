"""A PostgreSQL server of the tests' own: a fresh cluster in a folder that goes with it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

INSTALLED = Path("/usr/lib/postgresql")
START_SECONDS = 60
STOP_SECONDS = 30
SUPERUSER = "postgres"
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "timezone": "UTC",
}
IN_A_HURRY = {"fsync": "off", "full_page_writes": "off"}
"""What a server can do without that nobody pulls the plug on."""

_END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SCHEMAS = """
SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
"""


class PostgresMissingError(Exception):
    """No PostgreSQL server program is installed; `scripts/debian.sh test` installs one."""


class PostgresStartError(Exception):
    """The server did not start; the message carries what it wrote."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server: its process id and the folder with its socket, data and log."""

    pid: int
    folder: Path

    def url(self, database: str = "postgres") -> str:
        """Return the database's URL, in the form that libpq, psycopg and SQLAlchemy read."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self.folder}"

    def create_database(self, name: str) -> str:
        """Make the empty database `name` and return its URL."""
        self._administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove the database `name`, ending whatever is still connected to it."""
        self._administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def empty_database(self, name: str) -> None:
        """End whatever is connected to a database and take away all that is in it."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(_END_OTHERS)
            found = connection.execute(_SCHEMAS).fetchall()
            drop = sql.SQL("DROP SCHEMA {} CASCADE; ")
            drops = [drop.format(sql.Identifier(str(row[0]))) for row in found]
            connection.execute(sql.Composed([*drops, sql.SQL("CREATE SCHEMA public")]))

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


def newest_programs(installed: Path = INSTALLED) -> Path:
    """Return the folder with initdb and postgres of the newest version under `installed`.

    Raises PostgresMissingError where there is none.
    """
    versions = [
        folder
        for folder in installed.glob("*")
        if folder.name.isdigit() and (folder / "bin" / "initdb").exists()
    ]
    if not versions:
        raise PostgresMissingError(f"no PostgreSQL server under {installed}")
    return max(versions, key=lambda folder: int(folder.name)) / "bin"


@contextmanager
def postgres_server(*, durable: bool = True) -> Iterator[PostgresServer]:
    """Run a server for as long as the block lasts, then stop it and remove all it wrote.

    One that is not `durable` never waits for the disk: enough where only its clients are killed.
    It listens on a socket in its own folder and on no port. It dies with this process, however
    that one ends. Raises PostgresMissingError or PostgresStartError.
    """
    programs = newest_programs()
    # Not below pytest's own folder, whose path the server's user may not enter; and short, since
    # a socket's path has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        owner = _unprivileged_owner(folder)
        _initialise(programs, folder, owner)
        settings = SETTINGS if durable else SETTINGS | IN_A_HURRY
        with _running(programs, folder, owner, settings) as server:
            yield server
    finally:
        shutil.rmtree(folder)


def _unprivileged_owner(folder: Path) -> list[str]:
    """Give the folder to a user that initdb accepts; return the prefix that runs as that user."""
    if os.geteuid() != 0:
        return []
    names = {user.pw_name for user in pwd.getpwall()}
    user = pwd.getpwnam(SUPERUSER if SUPERUSER in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]


def _initialise(programs: Path, folder: Path, owner: list[str]) -> None:
    made = subprocess.run(
        [
            *("setpriv", *owner, f"{programs}/initdb", "--pgdata", f"{folder}/data"),
            *("--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
            *("--locale", "C.UTF-8", "--no-sync"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    if made.returncode != 0:
        raise PostgresStartError(f"initdb failed:\n{made.stdout}{made.stderr}")


@contextmanager
def _running(
    programs: Path, folder: Path, owner: list[str], settings: Mapping[str, str]
) -> Iterator[PostgresServer]:
    settings = {**settings, "unix_socket_directories": str(folder)}
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *("setpriv", *owner, "--pdeathsig", "INT"),
                *(f"{programs}/postgres", "-D", f"{folder}/data"),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        server = PostgresServer(process.pid, folder)
        _await_ready(server, process, log)
        yield server
    finally:
        _stop(process)


def _await_ready(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(server.url()).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise PostgresStartError(f"{error}\n{log.read_text()}") from error
            time.sleep(0.05)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask for a fast shutdown, and for an immediate one where that takes too long."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(STOP_SECONDS)
