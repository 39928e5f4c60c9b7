"""Where log lines go: one JSON object a line, into the state directory's log."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
import structlog

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

_encode = msgspec.json.Encoder(enc_hook=repr).encode
_SECRET = ("password", "token", "secret", "private_key", "user_data", "admin_pass")


def _drop_secrets(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Never write what could open a door, whoever put it into an event."""
    for key in event:
        if _is_secret(key):
            event[key] = "***"
    return event


@lru_cache(maxsize=1024)
def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in _SECRET)


def _render(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
    return _encode(event)


class LogFile(FileIO):
    """The log's file. A line that cannot be written, on a full disk, is lost, and nothing else is.

    What is logged goes on meanwhile: requests are answered, threads live. The next line that can
    be written follows one that says how many were lost.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "ab", opener=_private)
        self._lost = 0
        self._cut = False

    def write(self, line: Buffer, /) -> int:
        """Append a line, which is taken for written whatever becomes of it."""
        text = whole = bytes(line)
        if self._lost:
            told = {"event": "log lines were lost", "level": "error", "lines": self._lost}
            text = _encode(told) + b"\n" + text
        if self._cut:
            text = b"\n" + text
        try:
            written = super().write(text)
        except OSError:
            written = 0
        if written == len(text):
            self._lost, self._cut = 0, False
        else:
            self._lost += 1
            self._cut = self._cut or written > 0
        return len(whole)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def configure(path: Path | None, *, level: int = 20) -> BinaryIO:
    """Send every line of `level` (Python's numbers) and above to a file of mode 0600, or stderr.

    Returns where they go, open for as long as anything is logged.
    """
    target: BinaryIO = sys.stderr.buffer if path is None else LogFile(path)
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(),
            _drop_secrets,
            _render,
        ],
        logger_factory=structlog.BytesLoggerFactory(target),
    )
    return target
