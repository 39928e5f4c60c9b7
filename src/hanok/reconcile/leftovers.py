"""What came to be on a host after its rows were gone, and is removed.

A call that a host did not answer in time is given up, and what it asked for may still happen: a
disk, a tap or a domain appears when its server has long been deleted. Two looks in a row must find
it without a row: then it was not on its way out at the first. It is removed by the operation that
deletes servers (or volumes), as journaled and as patient as any.

Nothing is removed that is not known to be of a deleted server or volume of this store. What no row
and no operation knows (the store was restored from a backup, say) is named to the operator, once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from hanok.model.errors import HostError, HostUnreachable
from hanok.model.moments import SECOND, Clock
from hanok.operations import delete_server, delete_volume
from hanok.operations.delete_server import Leftovers
from hanok.operations.submitter import Submitter
from hanok.reconcile.watch import DEADLINE, Hosts
from hanok.store import journal, leftovers, servers
from hanok.store.database import Database
from hanok.store.leftovers import Kind, Maker

log = structlog.get_logger("hanok.reconcile")
EVERY = 20 * SECOND
"""The time between two looks; longer than the watch's, as a look reads every disk's header."""
AGAIN_AFTER = 600 * SECOND
"""When something whose removal was asked for is looked at again."""

_LISTS: Final[Mapping[Kind, tuple[str, str]]] = {
    "domain": ("compute.list_domains", "server_id"),
    "port": ("network.list_ports", ""),
    "disk": ("storage.list_disks", "disk_id"),
}
"""Which verb lists what, and the key of the id in what it lists."""
MADE_BY: Final[Mapping[Kind, tuple[str, ...]]] = {"port": ("plug",), "disk": ("make", "made")}
"""How operations key the steps that make things on a host: `plug:<port's id>`."""


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """Something that a host holds."""

    host_id: str
    kind: Kind
    id: str


class LeftoverRemoval:
    """Removes what is left on the hosts of this process; `run` is a chore of the watch."""

    def __init__(self, store: Database, hosts: Hosts, engine: Submitter, clock: Clock) -> None:
        self._store = store
        self._hosts = hosts
        self._engine = engine
        self._clock = clock
        self._due = 0
        self._without_row: frozenset[Thing] = frozenset()
        self._makers: dict[Thing, Maker | None] = {}
        self._asked: dict[Thing, int] = {}
        self._named: set[Thing] = set()

    def run(self) -> int:
        """Look, where a look is due, and return when the next one is."""
        if self._clock.now() >= self._due:
            self.look()
            self._due = self._clock.now() + EVERY
        return self._due

    def look(self) -> None:
        """Look once at every host; ask for the removal of what the look before found, too."""
        unseen: set[tuple[str, Kind]] = set()
        held = [thing for host in self._hosts.hosts() for thing in self._held_by(host, unseen)]
        found = self._find_without_row(held)
        self._forget_what_is_gone(found, unseen)
        seen_twice = (found & self._without_row) - self._named
        again = sorted(thing for thing in seen_twice if not self._is_asked(thing))
        self._without_row = found
        if again:
            self._remove(again)

    def _held_by(self, host_id: str, unseen: set[tuple[str, Kind]]) -> Iterator[Thing]:
        """List what a host holds, and add to `unseen` the kinds of things that it does not tell."""
        unseen.update((host_id, kind) for kind in _LISTS)
        for kind, (verb, key) in _LISTS.items():
            try:
                listed = self._hosts.query(host_id, verb, {}, DEADLINE)
            except HostUnreachable as error:
                log.info("what a host holds is not known", host=host_id, error=str(error))
                return
            except HostError as error:
                log.warning("a host cannot list what it holds", host=host_id, error=str(error))
                continue
            unseen.discard((host_id, kind))
            for one in listed:
                yield Thing(host_id, kind, one[key] if key else one)

    def _forget_what_is_gone(
        self, found: Collection[Thing], unseen: Collection[tuple[str, Kind]]
    ) -> None:
        """Forget what is known of what has gone: it may come again, and is removed again then."""

        def stays(thing: Thing) -> bool:
            return thing in found or (thing.host_id, thing.kind) in unseen

        self._makers = {thing: maker for thing, maker in self._makers.items() if stays(thing)}
        self._asked = {thing: at for thing, at in self._asked.items() if stays(thing)}
        self._named = {thing for thing in self._named if stays(thing)}

    def _find_without_row(self, held: Collection[Thing]) -> frozenset[Thing]:
        with self._store.read() as reader:
            known = {
                kind: leftovers.known(reader, kind, {one.id for one in held if one.kind == kind})
                for kind in _LISTS
            }
        return frozenset(thing for thing in held if thing.id not in known[thing.kind])

    def _is_asked(self, thing: Thing) -> bool:
        return thing in self._asked and self._clock.now() < self._asked[thing] + AGAIN_AFTER

    def _remove(self, things: Collection[Thing]) -> None:
        """Ask for the removal of each server's things together; name those that are nobody's."""
        self._find_makers([thing for thing in things if thing.kind != "domain"])
        of_server: dict[tuple[str, str], list[Thing]] = defaultdict(list)
        for thing in things:
            maker = self._makers.get(thing)
            if thing.kind == "domain":
                of_server[thing.host_id, thing.id].append(thing)
            elif maker is None:
                self._name(thing)
            elif maker.server_id is None:
                self._remove_disk(thing, maker.project_id)
            else:
                of_server[thing.host_id, maker.server_id].append(thing)
        for (host_id, server_id), its_things in of_server.items():
            self._remove_of(server_id, host_id, its_things)

    def _find_makers(self, things: Collection[Thing]) -> None:
        """Learn whose things are, once each: an operation is journaled before what it makes."""
        keys = {thing: _keys(thing) for thing in things if thing not in self._makers}
        if not keys:
            return
        with self._store.read() as reader:
            found = leftovers.makers(reader, {key for some in keys.values() for key in some})
        for thing, some in keys.items():
            last = [found[key] for key in some if key in found]
            self._makers[thing] = last[-1] if last else None

    def _remove_of(self, server_id: str, host_id: str, things: Collection[Thing]) -> None:
        """Ask for the removal of a server's things, if it is deleted and nothing works on it."""
        ids = {kind: tuple(one.id for one in things if one.kind == kind) for kind in _LISTS}
        left = Leftovers(host_id, bool(ids["domain"]), ids["port"], ids["disk"])
        with self._store.write() as tx:
            server = servers.find(tx, server_id)
            if server is not None:
                if server.terminated_at is None or journal.unfinished(tx, f"server:{server_id}"):
                    return
                delete_server.submit_leftovers(tx, self._engine, server, left)
                found = {thing.id: thing.kind for thing in things}
                servers.record(tx, server_id, self._clock.now(), "leftovers found", found)
        for thing in things:
            if server is None:
                self._name(thing)
            else:
                self._note_asked(thing, server_id)

    def _remove_disk(self, disk: Thing, project_id: str) -> None:
        """Ask for the removal of a deleted volume's disk."""
        with self._store.write() as tx:
            if journal.unfinished(tx, f"volume:{disk.id}"):
                return
            delete_volume.submit_leftover(tx, self._engine, project_id, disk.id, disk.host_id)
        self._note_asked(disk, None)

    def _note_asked(self, thing: Thing, server_id: str | None) -> None:
        self._asked[thing] = self._clock.now()
        what = {"host": thing.host_id, "kind": thing.kind, "id": thing.id}
        log.warning("a leftover is removed", server=server_id, **what)

    def _name(self, thing: Thing) -> None:
        self._named.add(thing)
        what = {"host": thing.host_id, "kind": thing.kind, "id": thing.id}
        log.warning("a host holds what no row and no operation knows; left alone", **what)


def _keys(thing: Thing) -> list[str]:
    return [f"{step}:{thing.id}" for step in MADE_BY[thing.kind]]
