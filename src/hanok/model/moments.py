"""Moments and how they are written; the clock itself is the engine's."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

SECOND = 1_000_000
"""One second in the unit of every stored moment: microseconds since 1970-01-01T00:00:00Z."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - isoformat adds no offset; all moments are in UTC


class Clock(Protocol):
    """What the rules need of time and chance."""

    def now(self) -> int:
        """Return the moment; never goes back within a process."""

    def new_id(self) -> str:
        """Return a new random UUID as 36 characters."""

    def random_bytes(self, count: int) -> bytes:
        """Return unpredictable bytes."""


@lru_cache(maxsize=4096)
def iso(moment: int | None) -> str | None:
    """Write a moment as 2026-01-31T12:00:00Z; None stays None."""
    if moment is None:
        return None
    return f"{(_EPOCH + timedelta(0, moment // SECOND)).isoformat()}Z"


@lru_cache(maxsize=4096)
def iso_micro(moment: int | None) -> str | None:
    """Write a moment as 2026-01-31T12:00:00.000000, without a zone; None stays None."""
    if moment is None:
        return None
    return (_EPOCH + timedelta(0, 0, moment)).isoformat(timespec="microseconds")
