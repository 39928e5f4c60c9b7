"""Secrets at rest: sealed with a key from the state directory, opened only to be used."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Sealer:
    """Seals JSON values with AES-256-GCM; each value is bound to the name it was sealed under.

    `random_bytes` is the clock's: a nonce is never used twice.
    """

    def __init__(self, key: bytes, random_bytes: Callable[[int], bytes]) -> None:
        self._cipher = AESGCM(key)
        self._random_bytes = random_bytes

    @classmethod
    def from_file(cls, path: Path, random_bytes: Callable[[int], bytes]) -> Sealer:
        """Read the key, made on first use with mode 0600."""
        if not path.exists():
            partial = path.with_suffix(".new")
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.write(descriptor, AESGCM.generate_key(256))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            partial.rename(path)
        return cls(path.read_bytes(), random_bytes)

    def seal(self, name: str, value: object) -> bytes:
        """Return the sealed form of a JSON-able value."""
        nonce = self._random_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, msgspec.json.encode(value), name.encode())

    def open(self, name: str, sealed: bytes) -> object:
        """Return the value; raises `cryptography.exceptions.InvalidTag` if it was tampered with."""
        nonce, body = sealed[:_NONCE], sealed[_NONCE:]
        return msgspec.json.decode(self._cipher.decrypt(nonce, body, name.encode()))
