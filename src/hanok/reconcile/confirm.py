"""Resizes that confirm themselves: a resized server rests for a while, then keeps its new size.

NHN Cloud confirms by itself. The rest stays visible as VERIFY_RESIZE long enough for clients that
wait to see it (Terraform looks first after 10 s), and is confirmed as anybody would: by a request.
"""

from __future__ import annotations

from hanok.model.lifecycle import ACTIONS
from hanok.model.moments import SECOND, Clock
from hanok.operations import resize_server
from hanok.operations.submitter import Submitter
from hanok.store import journal, servers
from hanok.store.database import Database


class Confirmations:
    """Confirms each resize `after` seconds from its end."""

    def __init__(self, store: Database, engine: Submitter, clock: Clock, after: float) -> None:
        self._store = store
        self._engine = engine
        self._clock = clock
        self._after = int(after * SECOND)

    def run(self) -> int | None:
        """Confirm what is due; return when the next one is, None when none waits."""
        with self._store.read() as reader:
            waiting = servers.resized(reader)
        later = []
        for server in waiting:
            due = int((server.resized or {}).get("at", 0)) + self._after
            if due <= self._clock.now():
                self._confirm(server.id)
            else:
                later.append(due)
        return min(later, default=None)

    def _confirm(self, server_id: str) -> None:
        with self._store.write() as tx:
            server = servers.find(tx, server_id)
            if server is None or journal.unfinished(tx, f"server:{server_id}"):
                return
            if server.vm_state in ACTIONS["confirmResize"].vm_states:
                resize_server.submit_confirm(tx, self._engine, server)
