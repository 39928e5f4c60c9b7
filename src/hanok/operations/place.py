"""Where a server is put: the claim on a host, for a server that is made and for one that returns.

Filters and weighers work on a snapshot read outside the transaction; the claim itself is one
conditional update, so a snapshot that has grown old costs a further look and never overcommits.
"""

from __future__ import annotations

from hanok.engine.steps import View, Wait, Work
from hanok.model.host import Claim, Host
from hanok.placement.filters import Wanted, rank
from hanok.store import hosts
from hanok.store.database import Reader

WHILE_HOSTS_JOIN = 0.5
"""Seconds until placement looks again while the region's hosts are only being proven."""
TRIES_ON_CONFLICT = 0.02
"""Seconds until placement looks again when every candidate was taken meanwhile."""


def snapshot(_view: View, reader: Reader) -> list[Host]:
    """Read the hosts: what a step that calls `claim` has as its `read`."""
    return hosts.all_hosts(reader)


def claim(work: Work, wanted: Wanted) -> Host:
    """Take what a server wants on the best host of the snapshot, and return that host.

    Raises NoValidHost where none fits, and Wait where one may soon.
    """
    if not any(host.state == "up" for host in work.seen) and any(
        host.state == "joining" for host in work.seen
    ):
        raise Wait(WHILE_HOSTS_JOIN)
    for host in rank(work.seen, wanted):
        ram_mib = wanted.claim.ram_mib + host.overhead_mib
        held = Claim(wanted.claim.vcpus, ram_mib, wanted.claim.disk_gib)
        if hosts.claim(work.tx, work.server_id or "", host.id, held):
            return host
    raise Wait(TRIES_ON_CONFLICT)
