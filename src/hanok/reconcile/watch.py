"""Looks at every host and at every server on it, again and again.

Level-driven: a look compares what is with what the rows say, whatever happened in between; a
driver's event only makes the next look come sooner. A server that an operation works on is left
alone, and what was seen is noted only if the row has not changed since it was read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from hanok.engine.clock import EngineClock
from hanok.model.errors import HostError
from hanok.model.moments import SECOND
from hanok.model.power import PowerState
from hanok.model.server import Server, VmState
from hanok.operations.fault import fault
from hanok.store import hosts, journal, retention, servers
from hanok.store.database import Database

log = structlog.get_logger("hanok.reconcile")
EVERY = 10 * SECOND
"""The time between two looks when nothing is heard of."""
DEADLINE = 10.0
"""Seconds that a host has to say which domains it runs."""
AGAIN = 2 * SECOND
"""The time until the next look when a host did not answer: most are only away for a moment."""
_DAY = 86_400 * SECOND


class Hosts(Protocol):
    """What the watch needs of `drivers.hosts.Hosts`."""

    def hosts(self) -> list[str]:
        """Return the ids of the hosts that this process serves."""

    def query(self, host_id: str, verb: str, args: Mapping[str, Any], deadline: float) -> Any:
        """Ask a host a read-only question; raises HostError within `deadline` seconds."""


Chore = Callable[[], int | None]
"""Something else that is looked after: returns the moment when it is due again, or None."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found, and when: the power state, or None where there is no domain."""

    power: PowerState | None
    at: int


def verdict(server: Server, seen: Seen) -> dict[str, Any] | None:
    """Say which columns must change so that the row tells what was seen; None: it does already."""
    if server.vm_state in (VmState.BUILDING, VmState.ERROR, VmState.SHELVED_OFFLOADED):
        return None
    if seen.power is None:
        return {
            "vm_state": VmState.ERROR,
            "power_state": int(PowerState.NOSTATE),
            "fault": fault("The instance's domain is no longer on its host.", "", seen.at),
        }
    changes: dict[str, Any] = {}
    if server.power_state != seen.power:
        changes["power_state"] = int(seen.power)
    off = seen.power in (PowerState.SHUTDOWN, PowerState.CRASHED)
    if server.vm_state in (VmState.ACTIVE, VmState.PAUSED) and off:
        changes["vm_state"] = VmState.STOPPED
    if server.vm_state == VmState.STOPPED and seen.power == PowerState.RUNNING:
        changes["vm_state"] = VmState.ACTIVE
    return changes or None


class Watch:
    """The thread that looks; `keep_days` is how long rows of deleted servers stay.

    It also does the `chores`, each whenever it says that it is due.
    """

    def __init__(
        self,
        store: Database,
        hosts_: Hosts,
        clock: EngineClock,
        *,
        keep_days: int,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._store = store
        self._hosts = hosts_
        self._clock = clock
        self._keep = keep_days * _DAY
        self._chores = chores
        self._heard = threading.Condition()
        self._soon = False
        self._stopping = False
        self._purged_at = 0

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._run, name="reconcile", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping = True
        self.hear("")

    def hear(self, _server_id: str) -> None:
        """Take a driver's hint that a domain may have changed."""
        with self._heard:
            self._soon = True
            self._heard.notify_all()

    def _run(self) -> None:
        while not self._stopping:
            until = self._clock.now() + EVERY
            try:
                if not self.look():
                    until = self._clock.now() + AGAIN
                until = min([until, *self._due()])
            except Exception:
                log.exception("a look failed; the next one comes")
            with self._heard:
                while not self._soon and self._clock.now() < until:
                    self._clock.wait(self._heard, until)
                self._soon = False

    def _due(self) -> list[int]:
        """Do the chores; return when they want to be done again."""
        return [due for chore in self._chores if (due := chore()) is not None]

    def look(self) -> bool:
        """Look once at every host of this process, and purge what was deleted long ago.

        Returns whether every host answered.
        """
        answered = [self._look_at(host_id) for host_id in self._hosts.hosts()]
        if self._clock.now() - self._purged_at > SECOND * 600:
            self._purge()
        return all(answered)

    def _purge(self) -> None:
        """Remove servers that were deleted long ago, and what the journal had of those before."""
        self._purged_at = self._clock.now()
        before = self._purged_at - self._keep
        with self._store.read() as reader:
            old = retention.old_operations(reader, before)
        with self._store.write() as tx:
            retention.forget(tx, old)
            servers.purge(tx, before)

    def _look_at(self, host_id: str) -> bool:
        """Compare a host's domains with the rows, which are read first; False: it did not answer.

        What an operation does meanwhile changes a row after it was read, and then what was seen is
        not noted. The other way round, a domain seen before its start would be noted as off.
        """
        with self._store.read() as reader:
            known = servers.on_host(reader, host_id)
        try:
            found = self._hosts.query(host_id, "compute.list_domains", {}, DEADLINE)
        except HostError as error:
            if self._note(host_id, "down"):
                log.warning("host does not answer", host=host_id, error=str(error))
            return False
        if self._note(host_id, "up"):
            log.info("host answers", host=host_id)
        power = {one["server_id"]: PowerState(one["power_state"]) for one in found}
        now = self._clock.now()
        for server in known:
            changes = verdict(server, Seen(power.get(server.id), now))
            if changes is not None:
                self._apply(server, changes)
        return True

    def _note(self, host_id: str, state: str) -> bool:
        """Note whether a host answers; True where that is new."""
        with self._store.read() as reader:
            host = next((h for h in hosts.all_hosts(reader) if h.id == host_id), None)
        if host is None or host.state == state:
            return False
        with self._store.write() as tx:
            hosts.set_state(tx, host_id, state, self._clock.now())
        return True

    def _apply(self, server: Server, changes: dict[str, Any]) -> None:
        now = self._clock.now()
        with self._store.write() as tx:
            if journal.unfinished(tx, f"server:{server.id}"):
                return
            if servers.observe(tx, server, now, changes):
                detail = {name: str(value) for name, value in changes.items()}
                servers.record(tx, server.id, now, "observed", detail)
                log.info("server changed by itself", server=server.id, **detail)
