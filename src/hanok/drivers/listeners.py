"""Whoever wants to hear of changed domains; every driver tells them in the same way."""

from __future__ import annotations

import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Listeners:
    """Functions to call with the id of a server whose domain may have changed."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[str], None]] = []

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._listeners)

    def add(self, changed: Callable[[str], None]) -> None:
        """Call `changed(server_id)` from now on."""
        self._listeners.append(changed)

    def tell(self, server_id: str) -> None:
        """Call each; the log has what one raises, and the others hear all the same."""
        for changed in tuple(self._listeners):
            try:
                changed(server_id)
            except Exception:  # noqa: BLE001 - a listener's fault is not the watch's end
                _log.exception("a listener failed on %s", server_id)
