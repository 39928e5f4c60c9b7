"""One store: a SQLite file or a PostgreSQL schema, with the same reads and writes on both.

SQLite: WAL, synchronous=FULL (NORMAL can lose the last commits on power loss: a guest nobody knows
of), one writer behind a FIFO queue, one connection for each reading thread.
PostgreSQL: pools; every store has a schema of its own, found through the search path.

A `Reader` answers statements; a `Transaction` is a `Reader` that also writes, and runs callbacks
after its commit. No driver call and no placement happens inside a `write()`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, Executable, Row, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import NullPool, StaticPool

from hanok.model.errors import Unavailable
from hanok.store.fifo import FifoLock

Params = Mapping[str, Any] | Sequence[Mapping[str, Any]]
WAKE_CHANNEL = "hanok_wake"


class Reader:
    """Reads of one store; each statement sees what is committed when it starts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> str:
        """Name the database: sqlite or postgresql."""
        return self._connection.dialect.name

    def rows(self, statement: Executable, params: Params | None = None) -> Sequence[Row[Any]]:
        """Return all rows."""
        return self._connection.execute(statement, params).all()

    def first(self, statement: Executable, params: Params | None = None) -> Row[Any] | None:
        """Return the first row, or None."""
        return self._connection.execute(statement, params).first()

    def scalar(self, statement: Executable, params: Params | None = None) -> Any:
        """Return the first column of the first row, or None."""
        return self._connection.execute(statement, params).scalar()


class Transaction(Reader):
    """Reads and writes that are committed together, or not at all."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._after: list[Callable[[], None]] = []

    def run(self, statement: Executable, params: Params | None = None) -> int:
        """Execute a write and return the number of rows that it touched."""
        return self._connection.execute(statement, params).rowcount

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` once this transaction is committed; never when it is not."""
        self._after.append(callback)

    def committed(self) -> None:
        """Run the callbacks; called by the store."""
        for callback in self._after:
            callback()


class Database:
    """A store's connections. `url` is `sqlite:////path/file.db` or `postgresql://…`.

    `schema` names the PostgreSQL schema that holds the store's tables.
    """

    def __init__(self, url: str, *, schema: str) -> None:
        self.schema = schema
        self.url = url
        self._local = threading.local()
        self._open: list[Connection] = []
        self._writer_lock: FifoLock | None = None
        self._closed = False
        if url.startswith("sqlite:"):
            path = make_url(url).database
            self._engine, self._writer = _sqlite_engines(url)
            self._writer_lock = FifoLock()
            self.path: Path | None = Path(path) if path else None
        else:
            self._engine = self._writer = _postgresql_engine(url, schema)
            self.path = None

    @property
    def is_sqlite(self) -> bool:
        """Tell whether one process on this machine is the only one to use the store."""
        return self._writer_lock is not None

    @property
    def engine(self) -> Engine:
        """The engine, for migrations."""
        return self._writer

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Read; on SQLite through this thread's own connection, kept open."""
        if not self.is_sqlite:
            try:
                with self._engine.connect() as connection:
                    yield Reader(connection.execution_options(isolation_level="AUTOCOMMIT"))
            except DBAPIError as error:
                _raise(error)
            return
        reader: Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._open.append(connection)
            reader = self._local.reader = Reader(connection)
        try:
            yield reader
        except DBAPIError as error:
            _raise(error)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Run one transaction: committed at the end of the block, rolled back on an exception."""
        if self._writer_lock is not None:
            self._writer_lock.acquire()
        try:
            with self._writer.connect() as connection:
                transaction = Transaction(connection)
                with connection.begin():
                    yield transaction
        except DBAPIError as error:
            _raise(error)
        finally:
            if self._writer_lock is not None:
                self._writer_lock.release()
        transaction.committed()

    def close(self) -> None:
        """Finish the commit in hand and let go of every connection; nobody writes after it."""
        if self._closed:
            return
        self._closed = True
        if self._writer_lock is not None:
            self._writer_lock.acquire()
        for connection in self._open:
            connection.close()
        self._writer.dispose()
        self._engine.dispose()


def _raise(error: DBAPIError) -> NoReturn:
    """Turn a database that does not answer into a 503; leave bugs what they are."""
    if isinstance(error, OperationalError) and not isinstance(error, IntegrityError):
        raise Unavailable(
            "The service cannot reach its database at the moment; try again.", detail=str(error)
        ) from error
    raise error


def _sqlite_engines(url: str) -> tuple[Engine, Engine]:
    """Make the readers' engine and the one writer's."""
    arguments = {"check_same_thread": False, "timeout": 10.0}
    readers = create_engine(url, poolclass=NullPool, connect_args=arguments)
    writer = create_engine(url, poolclass=StaticPool, connect_args=arguments)

    def connected(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own transactions would leave half-made tables behind DDL.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-8000",
            "mmap_size=268435456",
        ):
            connection.execute(f"PRAGMA {pragma}")

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    for engine in (readers, writer):
        event.listen(engine, "connect", connected)
    event.listen(writer, "begin", begin)
    return readers, writer


def _postgresql_engine(url: str, schema: str) -> Engine:
    """Make the engine; the search path puts every statement into the store's schema."""
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    return create_engine(
        parsed,
        pool_size=8,
        max_overflow=8,
        pool_timeout=10,
        connect_args={"options": f"-csearch_path={schema}", "connect_timeout": 5},
    )
