"""Where a server or a volume is put, and a server's claim on its host.

Filters and weighers work on a snapshot read outside the transaction; the claim itself is one
conditional update, so a snapshot that has grown old costs a further look and never overcommits.
"""

from __future__ import annotations

from dataclasses import replace

from hanok.engine.steps import View, Wait, Work
from hanok.model.host import Claim, Host
from hanok.model.moments import SECOND
from hanok.placement.filters import NoValidHost, Wanted, rank
from hanok.store import hosts
from hanok.store.database import Reader

WHILE_HOSTS_JOIN = 0.5
"""Seconds until placement looks again while the region's hosts are only being proven."""
WHILE_A_HOST_IS_SILENT = 1.0
"""Seconds until placement looks again while a host that would fit may answer again."""
SILENCE = 60 * SECOND
"""How long a host may be silent until nobody waits for it (Nova's service_down_time)."""
TRIES_ON_CONFLICT = 0.02
"""Seconds until placement looks again when every candidate was taken meanwhile."""


def snapshot(_view: View, reader: Reader) -> list[Host]:
    """Read the hosts: what a step that calls `candidates` or `claim` has as its `read`."""
    return hosts.all_hosts(reader)


def candidates(work: Work, wanted: Wanted) -> list[Host]:
    """Return the hosts of the snapshot that hold what is wanted, the best first.

    Raises NoValidHost where none does, and Wait where one may soon: what a host that joins will
    hold is not known yet, and one that has not been silent for long probably answers again.
    """
    known: list[Host] = work.seen
    try:
        return rank(known, wanted)
    except NoValidHost:
        states = {host.state for host in known}
        if "joining" in states and "up" not in states:
            raise Wait(WHILE_HOSTS_JOIN) from None
        rank([_as_expected(host, work.now) for host in known], wanted)
    raise Wait(WHILE_A_HOST_IS_SILENT)


def _as_expected(host: Host, now: int) -> Host:
    silent = host.state == "down" and now - host.seen_at < SILENCE
    return replace(host, state="up") if silent else host


def claim(work: Work, wanted: Wanted) -> Host:
    """Take what a server wants on the best of the candidates, and return that host."""
    for host in candidates(work, wanted):
        ram_mib = wanted.claim.ram_mib + host.overhead_mib
        held = Claim(wanted.claim.vcpus, ram_mib, wanted.claim.disk_gib)
        if hosts.claim(work.tx, work.server_id or "", host.id, held):
            return host
    raise Wait(TRIES_ON_CONFLICT)
