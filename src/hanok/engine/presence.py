"""Which processes are alive: the owners of operations.

An owner is an incarnation of a process. On SQLite a lock on the state directory (held by `app`)
proves earlier ones dead, so their operations are free at once. On PostgreSQL each incarnation
holds a session's advisory lock that the others can test.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from hanok.model.moments import SECOND, Clock
from hanok.store import incarnations, journal
from hanok.store.database import Database, Transaction
from hanok.store.sessions import Session

log = structlog.get_logger("hanok.engine")
_EVERY = 5 * SECOND


class Presence:
    """This process among the owners of operations; `heard` is called when others announce work."""

    def __init__(self, database: Database, clock: Clock, heard: Callable[[], None]) -> None:
        self.id = clock.new_id()
        self._database = database
        self._clock = clock
        self._heard = heard
        self._session: Session | None = None
        self._checked_at = 0

    def enter(self) -> None:
        """Make this process known and free what dead ones held."""
        if self._database.is_sqlite:
            with self._database.write() as tx:
                journal.void_owners(tx, [])
            return
        self._join()
        self._sweep()

    def announce(self, tx: Transaction) -> None:
        """Tell the other processes, with this transaction's commit, that there is work."""
        if self._session is not None:
            Session.notify(tx)

    def check(self) -> None:
        """Every few seconds: is our own session alive, has another process died?"""
        if self._database.is_sqlite or self._clock.now() - self._checked_at < _EVERY:
            return
        self._checked_at = self._clock.now()
        if self._session is None or not self._session.alive():
            log.warning("the database session was lost; a new one takes its place")
            self.id = self._clock.new_id()
            self._join()
        self._sweep()

    def leave(self) -> None:
        """Let go of the session, so that others may take over at once."""
        if self._session is not None:
            self._session.close()

    def _join(self) -> None:
        key = int.from_bytes(self._clock.random_bytes(7), "big")
        self._session = Session(self._database.url, self._database.schema, key, self._heard)
        with self._database.write() as tx:
            incarnations.register(tx, self.id, key, self._clock.now())

    def _sweep(self) -> None:
        """Free the operations of incarnations whose lock nobody holds."""
        with self._database.write() as tx:
            alive = [self.id]
            dead: list[str] = []
            for row in incarnations.registered(tx):
                if row.id == self.id:
                    continue
                (alive if Session.is_held(tx, row.lock_key) else dead).append(row.id)
            if journal.void_owners(tx, alive) and dead:
                log.warning("took over the operations of processes that are gone", gone=dead)
            incarnations.forget(tx, dead)
