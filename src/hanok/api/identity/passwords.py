"""Passwords: argon2id hashes, made so that log-ins cannot exhaust memory or processors."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from hanok.model.errors import Unavailable

MEMORY_KIB = 19_456
ROUNDS = 2
LANES = 1
_SALT = 16
_DIGEST = 32


def _unpadded(count: int) -> str:
    return b64encode(bytes(count)).decode().rstrip("=")


# Nobody knows a password with this hash; checking one against it costs what any other check does.
NOBODY = (
    f"$argon2id$v=19$m={MEMORY_KIB},t={ROUNDS},p={LANES}${_unpadded(_SALT)}${_unpadded(_DIGEST)}"
)


class Passwords:
    """Hashes and checks passwords, `at_once` at a time (19 MiB each).

    At most `waiting` more callers queue; the rest is told to come again. Every caller who queues
    holds his thread: give fewer places than there are worker threads, or log-ins threads of their
    own, and a flood of log-ins holds up no request that carries a token.
    """

    def __init__(self, *, at_once: int = 2, waiting: int = 16) -> None:
        self._hasher = PasswordHasher(
            time_cost=ROUNDS,
            memory_cost=MEMORY_KIB,
            parallelism=LANES,
            hash_len=_DIGEST,
            salt_len=_SALT,
            type=Type.ID,
        )
        self._slots = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)

    def hash(self, password: str) -> str:
        """Return a salted hash in PHC's text form; raises Unavailable when too many wait."""
        with self._slot():
            return self._hasher.hash(password)

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Tell whether a password is right; takes as long when there is none to compare with.

        Raises Unavailable when too many wait.
        """
        with self._slot():
            try:
                return self._hasher.verify(password_hash or NOBODY, password)
            except (VerificationError, InvalidHashError):
                return False

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise Unavailable("Too many log-ins at once; try again in a moment.")
        try:
            with self._slots:
                yield
        finally:
            self._places.release()
