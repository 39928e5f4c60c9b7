"""Brings a store's tables to this release's form: made, migrated after a backup, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.schema import CreateSchema

from hanok.model.errors import HanokError
from hanok.store.database import Database

_HERE = Path(__file__).parent / "migrations"


class StateTooNew(HanokError):
    """The store was written by a newer release."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A kind of store: its migrations' folder, its revisions, the oldest first."""

    name: str
    known: tuple[str, ...]

    @property
    def head(self) -> str:
        """The newest revision."""
        return self.known[-1]


REGION = Schema("region", ("0001", "0002", "0003", "0004", "0005"))
IDENTITY = Schema("identity", ("0001",))


def revision(database: Database) -> str | None:
    """Return the store's revision, None for an empty one."""
    with database.engine.connect() as connection:
        schema = None if database.is_sqlite else database.schema
        if not inspect(connection).has_table("alembic_version", schema=schema):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def prepare(database: Database, schema: Schema) -> str:
    """Make the store usable; return what was done: "made", "migrated" or "current".

    Raises StateTooNew, with a sentence, for a revision that this release does not know.
    """
    if not database.is_sqlite:
        _make_schema(database)
    found = revision(database)
    if found == schema.head:
        return "current"
    if found is not None and found not in schema.known:
        raise StateTooNew(
            f"The {schema.name} store is at revision {found}, which this release does not know: it "
            "was written by a newer release. Use that release, or another state directory."
        )
    if found is not None and database.path is not None:
        backup(database, database.path.with_suffix(f".{found}.bak"))
    upgrade(database, schema)
    return "made" if found is None else "migrated"


def backup(database: Database, target: Path) -> None:
    """Copy a SQLite store, consistently, to a new file of mode 0600."""
    target.unlink(missing_ok=True)
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - a connection that is open has one
        driver.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)


def upgrade(database: Database, schema: Schema, target: str = "head") -> None:
    """Migrate up to a revision."""
    _move(database, schema, target, up=True)


def downgrade(database: Database, schema: Schema, target: str) -> None:
    """Migrate down to a revision, or to "base": no tables."""
    _move(database, schema, target, up=False)


def _move(database: Database, schema: Schema, target: str, *, up: bool) -> None:
    """Run the migrations in one transaction.

    SQLite checks foreign keys afterwards, not meanwhile: a table that is rebuilt to change it
    would otherwise take its children's rows with it.
    """
    from alembic import command  # noqa: PLC0415 - memory that only a migration needs
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_HERE / schema.name))
    with database.engine.connect() as connection:
        if database.is_sqlite:
            _pragma(connection, "foreign_keys=OFF")
        try:
            with connection.begin():
                config.attributes["connection"] = connection
                (command.upgrade if up else command.downgrade)(config, target)
                if database.is_sqlite:
                    _check_foreign_keys(connection)
        finally:
            if database.is_sqlite:
                _pragma(connection, "foreign_keys=ON")


def _pragma(connection: Connection, setting: str) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - a connection that is open has one
    driver.execute(f"PRAGMA {setting}")


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise HanokError("The migration would break references between rows.", detail=str(broken))


def _make_schema(database: Database) -> None:
    with database.engine.connect() as connection, connection.begin():
        connection.execute(CreateSchema(database.schema, if_not_exists=True))
