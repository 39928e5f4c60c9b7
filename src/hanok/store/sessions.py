"""PostgreSQL sessions: an advisory lock that proves a process alive, and its ear for others."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
from sqlalchemy import func, select

from hanok.store.database import WAKE_CHANNEL, Reader, Transaction


class Session:
    """Holds the advisory lock `key`; calls `heard`, from its own thread, for each announcement."""

    def __init__(self, url: str, schema: str, key: int, heard: Callable[[], None]) -> None:
        self._connection = psycopg.connect(
            url.replace("postgresql+psycopg:", "postgresql:"), autocommit=True
        )
        self._connection.execute("SELECT pg_advisory_lock(%s)", (key,))
        self._connection.execute(f"LISTEN {WAKE_CHANNEL}")
        self._heard = heard
        self._closed = False
        self._thread = threading.Thread(target=self._listen, name="store-session", daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        """Tell whether the session, and with it the lock, still stands."""
        return self._thread.is_alive() and not self._connection.closed

    def close(self) -> None:
        """End the session and give up the lock."""
        self._closed = True
        self._connection.close()

    @staticmethod
    def notify(tx: Transaction) -> None:
        """Announce work to every listening process, with this transaction's commit."""
        tx.scalar(select(func.pg_notify(WAKE_CHANNEL, "")))

    @staticmethod
    def is_held(reader: Reader, key: int) -> bool:
        """Tell whether some session holds the lock `key`."""
        return not reader.scalar(select(func.pg_try_advisory_xact_lock(key)))

    def _listen(self) -> None:
        try:
            for _ in self._connection.notifies():
                self._heard()
        except psycopg.Error:
            if not self._closed:
                self._heard()
