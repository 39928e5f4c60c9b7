"""The only source of time, ids and randomness below the API."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections.abc import Callable
from typing import Protocol

from hanok.model.moments import SECOND, Clock


class EngineClock(Clock, Protocol):
    """A clock that can also be waited on."""

    def wait(self, condition: threading.Condition, until: int | None) -> None:
        """Wait on a held condition until it is notified or the moment comes (None: no end)."""


class SystemClock:
    """Real time: the wall clock read once, then carried forward by the monotonic one.

    A clock that jumps an hour while Hanok runs changes no deadline. `calibrate` moves the start to
    a database server's time, so that processes on several machines agree.
    """

    def __init__(self) -> None:
        self._offset = time.time_ns() // 1000 - time.monotonic_ns() // 1000

    def calibrate(self, server_now: Callable[[], int]) -> None:
        """Take over the time of `server_now()` (microseconds), half its round trip allowed for."""
        before = time.monotonic_ns() // 1000
        theirs = server_now()
        after = time.monotonic_ns() // 1000
        self._offset = theirs - (before + after) // 2

    def now(self) -> int:
        """Return microseconds since 1970; see `Clock.now`."""
        return time.monotonic_ns() // 1000 + self._offset

    def new_id(self) -> str:
        """Return a new random UUID."""
        return str(uuid.uuid4())

    def random_bytes(self, count: int) -> bytes:
        """Return bytes from the operating system."""
        return secrets.token_bytes(count)

    def wait(self, condition: threading.Condition, until: int | None) -> None:
        """Wait on the condition, at most until the moment."""
        timeout = None if until is None else max(0.0, (until - self.now()) / SECOND)
        condition.wait(timeout)


class VirtualClock:
    """Time that moves only when it is told to: for tests of deadlines and backoff."""

    def __init__(self, start: int = 1_700_000_000 * SECOND) -> None:
        self._now = start
        self._sleepers: set[threading.Condition] = set()
        self._guard = threading.Lock()

    def now(self) -> int:
        """Return the virtual moment."""
        return self._now

    def new_id(self) -> str:
        """Return a new random UUID."""
        return str(uuid.uuid4())

    def random_bytes(self, count: int) -> bytes:
        """Return bytes from the operating system."""
        return secrets.token_bytes(count)

    def advance(self, microseconds: int) -> None:
        """Move time forward and wake whoever waits for it."""
        with self._guard:
            self._now += microseconds
            sleepers = list(self._sleepers)
        for condition in sleepers:
            with condition:
                condition.notify_all()

    def wait(self, condition: threading.Condition, until: int | None) -> None:
        """Wait until notified; `advance` notifies."""
        with self._guard:
            if until is not None and until <= self._now:
                return
            self._sleepers.add(condition)
        condition.wait(60.0)
