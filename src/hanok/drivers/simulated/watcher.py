"""Tells of changed domains: those of the driver at once, those from outside when it looks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from hanok.drivers.listeners import Listeners
from hanok.drivers.simulated.records import WorldFiles
from hanok.model.errors import HostError

_LOOK = 0.1  # seconds between two looks at what others changed

_log = logging.getLogger(__name__)


class Watcher:
    """A thread that reads the world's log of changes; it starts with the first listener."""

    def __init__(self, deployment_id: str, files: WorldFiles) -> None:
        self._deployment_id = deployment_id
        self._files = files
        self._listeners = Listeners()
        self._going_down: dict[str, float] = {}
        self._wake = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()

    def listen(self, changed: Callable[[str], None]) -> None:
        """Call `changed(server_id)` from now on."""
        with self._guard:
            self._listeners.add(changed)
            if self._thread is None and not self._closed:
                start = self._files.changes.end()
                self._thread = threading.Thread(
                    target=self._run, args=(start,), name="simulated-watch", daemon=True
                )
                self._thread.start()

    def look(self) -> None:
        """Look at the log now: this driver has changed something."""
        self._wake.set()

    def close(self) -> None:
        """End the thread; waits for it a moment, unless a listener hangs or closes us."""
        with self._guard:
            self._closed = True
            thread = self._thread
        self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=1.0)

    def _run(self, offset: int) -> None:
        known = blind = False
        while not self._closed:
            changed: list[str] = []
            try:
                if not known:
                    self._note(self._files.domains.ids())
                known = True
                offset, changed = self._changed(offset)
                self._note(changed)
                blind = False
            except OSError:  # a failing disk is no reason to look no more
                if not blind:
                    _log.exception("the simulated world cannot be looked at; trying on")
                blind = True
            self._tell([*changed, *self._gone_down()])
            self._wake.wait(self._pause())
            self._wake.clear()

    def _changed(self, offset: int) -> tuple[int, list[str]]:
        """Return the log's new end, and whom of ours it names after `offset`, once each."""
        end, lines = self._files.changes.since(offset)
        return end, list(
            dict.fromkeys(server for owner, server in lines if owner == self._deployment_id)
        )

    def _pause(self) -> float:
        soonest = min(self._going_down.values(), default=float("inf"))
        return max(0.0, min(_LOOK, soonest - time.monotonic()))

    def _note(self, server_ids: list[str]) -> None:
        """Remember when guests that shut down will be off: then, too, their state differs."""
        for server_id in server_ids:
            self._going_down.pop(server_id, None)
            try:
                record = self._files.domains.get(server_id)
            except (HostError, OSError):  # it has changed all the same: who looks is told the same
                _log.exception("the simulated domain %s cannot be read", server_id)
                continue
            if record and record.off_at is not None and record.deployment_id == self._deployment_id:
                self._going_down[server_id] = record.off_at

    def _gone_down(self) -> list[str]:
        moment = time.monotonic()
        down = [server_id for server_id, off_at in self._going_down.items() if off_at <= moment]
        for server_id in down:
            del self._going_down[server_id]
        return down

    def _tell(self, changed: list[str]) -> None:
        for server_id in changed:
            if self._closed:
                return
            self._listeners.tell(server_id)
