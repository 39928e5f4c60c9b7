"""Where log lines go: one JSON object a line, into the state directory's log."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import structlog

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


def configure(path: Path | None, *, level: int = 20) -> BinaryIO:
    """Send every line of `level` (Python's numbers) and above to a file of mode 0600, or stderr.

    Returns where they go, open for as long as anything is logged.
    """
    target: BinaryIO = sys.stderr.buffer
    if path is not None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        target = os.fdopen(descriptor, "ab", buffering=0)
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
