"""Telling of domains whose power state may have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Any, Final

import libvirt

from hanok.drivers.libvirt.connection import Connection
from hanok.drivers.listeners import Listeners
from hanok.model.errors import HostError

_RETRY_SECONDS: Final = 1.0
_REOPEN: Final = ""
_END: Final = None


class Watch:
    """Calls listeners with the ids of domains that libvirt reports about, from its own thread.

    When the connection is lost it is opened again, and every domain is reported once, since
    events were lost meanwhile.
    """

    def __init__(
        self,
        connection: Connection,
        own_id: Callable[[str], str | None],
        server_ids: Callable[[], Iterable[str]],
    ) -> None:
        """Prepare; make it before the connection is first used.

        `own_id` gives the server's id of one of our domains' names, None of others';
        `server_ids` lists the domains that are ours.
        """
        self._own_id = own_id
        self._server_ids = server_ids
        self._listeners = Listeners()
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        connection.when_opened(self._register)

    def listen(self, changed: Callable[[str], None]) -> None:
        """Call `changed(server_id)` from now on."""
        self._listeners.add(changed)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="libvirt-watch", daemon=True)
            self._thread.start()
        # Opens the connection where nothing else has.
        self._queue.put(_REOPEN)

    def close(self) -> None:
        """Stop; a listener's call in hand is waited for, a second at most."""
        self._ended.set()
        self._queue.put(_END)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1.0)

    def _register(self, connection: Any) -> None:
        """Ask a fresh connection for its events, and for its end."""
        kind = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
        connection.domainEventRegisterAny(None, kind, self._on_event, None)
        connection.registerCloseCallback(self._on_close, None)

    def _on_event(self, _conn: Any, domain: Any, _event: int, _detail: int, _data: Any) -> None:
        server_id = self._own_id(domain.name())
        if server_id is not None and self._listeners:
            self._queue.put(server_id)

    def _on_close(self, _conn: Any, _reason: int, _data: Any) -> None:
        if self._listeners:
            self._queue.put(_REOPEN)

    def _run(self) -> None:
        while (item := self._queue.get()) is not _END:
            if item == _REOPEN:
                self._reopen()
            else:
                self._tell(item)

    def _reopen(self) -> None:
        """Open the connection, which registers, and report every domain."""
        try:
            server_ids = list(self._server_ids())
        except HostError:
            # The daemon is away, and nothing else would tell when it is back.
            if not self._ended.wait(_RETRY_SECONDS):
                self._queue.put(_REOPEN)
            return
        for server_id in server_ids:
            self._tell(server_id)

    def _tell(self, server_id: str) -> None:
        if not self._ended.is_set():
            self._listeners.tell(server_id)
