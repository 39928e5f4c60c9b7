"""Which hosts can hold a server, and in which order to try them.

Filters and weighers are pure functions over a snapshot read outside any transaction. The claim
itself is one conditional update, so a stale snapshot costs a further try and never overcommits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hanok.model.errors import HanokError
from hanok.model.host import Claim, Host


class NoValidHost(HanokError):
    """No host fits; the message says which filter dropped how many, and what would help."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a server asks of a host: capacity, and a zone or None for any.

    `storage` are the hosts whose block storage it has already; a volume cannot leave its host.
    """

    claim: Claim
    zone: str | None
    storage: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Filter:
    """A named test; `advice` tells a tenant what to change when it drops the last hosts."""

    name: str
    keeps: Callable[[Host, Wanted], bool]
    advice: str


FILTERS: tuple[Filter, ...] = (
    Filter("up", lambda h, _: h.state == "up", "wait until a host answers again"),
    Filter(
        "availability zone",
        lambda h, w: w.zone is None or w.zone in h.zones,
        "choose another availability zone or leave it blank",
    ),
    Filter(
        "block storage",
        lambda h, w: w.storage <= {h.id},
        "wait until the host that holds the instance's block storage answers again",
    ),
    Filter(
        "vCPUs",
        lambda h, w: h.used_vcpus + w.claim.vcpus <= h.vcpus,
        "choose a flavor with fewer vCPUs",
    ),
    Filter(
        "RAM",
        lambda h, w: h.used_ram_mib + w.claim.ram_mib + h.overhead_mib <= h.ram_mib,
        "choose a flavor with less RAM",
    ),
    Filter(
        "disk",
        lambda h, w: h.used_disk_gib + w.claim.disk_gib <= h.disk_gib,
        "ask for a smaller disk",
    ),
)


def rank(hosts: Sequence[Host], wanted: Wanted) -> list[Host]:
    """Return the hosts that fit, the emptiest first; raises NoValidHost with the reasons."""
    left = list(hosts)
    dropped: list[tuple[Filter, int]] = []
    nearest = left
    for one in FILTERS:
        kept = [host for host in left if one.keeps(host, wanted)]
        if len(kept) < len(left):
            dropped.append((one, len(left) - len(kept)))
        if not kept:
            nearest = left
            break
        left = kept
    else:
        return sorted(left, key=_load)
    raise NoValidHost(_explain(len(hosts), dropped, nearest, wanted))


def _load(host: Host) -> tuple[float, str]:
    """Weigh a host: the larger share of its RAM and vCPUs in use comes later."""
    ram = host.used_ram_mib / max(host.ram_mib, 1)
    vcpus = host.used_vcpus / max(host.vcpus, 1)
    return max(ram, vcpus), host.id


def _free(host: Host) -> tuple[int, int, int]:
    """Return the vCPUs, the MiB of RAM and the GiB of disk that a server could still have."""
    return (
        max(0, host.vcpus - host.used_vcpus),
        max(0, host.ram_mib - host.used_ram_mib - host.overhead_mib),
        max(0, host.disk_gib - host.used_disk_gib),
    )


def _lacks(host: Host, claim: Claim) -> float:
    """Say how far a host is from holding a claim: the largest share of a measure that it lacks."""
    asked = (claim.vcpus, claim.ram_mib, claim.disk_gib)
    return max(1 - free / want for free, want in zip(_free(host), asked, strict=True) if want)


def _explain(
    total: int, dropped: Sequence[tuple[Filter, int]], nearest: Sequence[Host], wanted: Wanted
) -> str:
    if total == 0:
        return "No valid host was found. The region has no host yet; try again in a moment."
    reasons = ", ".join(f"{one.name} dropped {count}" for one, count in dropped)
    text = f"No valid host was found. Of {total} host{'s' if total > 1 else ''}: {reasons}."
    free = _free(min(nearest, key=lambda host: _lacks(host, wanted.claim)))
    return (
        f"{text} The nearest fit has {free[0]} vCPUs, {free[1]} MB of RAM and {free[2]} GB of disk "
        f"free; asked for were {wanted.claim.vcpus}, {wanted.claim.ram_mib} and "
        f"{wanted.claim.disk_gib}. To go on, {dropped[-1][0].advice}."
    )
