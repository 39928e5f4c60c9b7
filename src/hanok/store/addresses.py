"""Addresses of subnets: which are free, and who gets one; the unique key decides.

An address is found without reading what is taken: the database counts through a window of a pool
and looks each number up in the key. Where the first window is full, windows at doubling distances
are tried, then halved back to the first that has room. Only a pool that looks full at all of these
places is counted through from end to end.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, String, bindparam, cast, func, literal, select

from hanok.model.network import Subnet
from hanok.model.port import AddressTaken, NoAddressLeft, Wish
from hanok.store.database import Reader, Transaction
from hanok.store.insert_missing import insert_missing
from hanok.store.region_tables import fixed_ips

WINDOW = 256
"""Addresses that are looked at by one statement."""
_SPREAD = 32
"""Among how many free addresses those choose that lost one to another."""

_start = select(bindparam("first", type_=BigInteger).label("number")).cte(
    "candidate", recursive=True
)
_candidate = _start.union_all(
    select(_start.c.number + literal(1, BigInteger)).where(
        _start.c.number < bindparam("last", type_=BigInteger)
    )
)
_parts = [
    cast(_candidate.c.number.bitwise_rshift(shift).bitwise_and(255), String)
    for shift in (24, 16, 8, 0)
]
_address = _parts[0] + "." + _parts[1] + "." + _parts[2] + "." + _parts[3]
_free = (
    select(_candidate.c.number)
    .where(
        ~select(fixed_ips.c.port_id)
        .where(fixed_ips.c.subnet_id == bindparam("subnet"), fixed_ips.c.address == _address)
        .correlate(_candidate)
        .exists()
    )
    .limit(bindparam("count", type_=BigInteger))
)
_taken = select(fixed_ips.c.port_id).where(
    fixed_ips.c.subnet_id == bindparam("subnet"), fixed_ips.c.address == bindparam("address")
)


def taken(reader: Reader, subnet_id: str, address: str) -> bool:
    """Tell whether an address of a subnet has a port."""
    return reader.scalar(_taken, {"subnet": subnet_id, "address": address}) is not None


def counts(reader: Reader, subnet_ids: Iterable[str]) -> dict[str, int]:
    """Return how many addresses of each subnet have a port."""
    statement = (
        select(fixed_ips.c.subnet_id, func.count().label("count"))
        .where(fixed_ips.c.subnet_id.in_(list(subnet_ids)))
        .group_by(fixed_ips.c.subnet_id)
    )
    return {row[0]: row[1] for row in reader.rows(statement)}


def take(tx: Transaction, port_id: str, wish: Wish) -> tuple[str, str]:
    """Give a port an address and return (subnet's id, address).

    Raises AddressTaken, or NoAddressLeft. On PostgreSQL it waits for a transaction that is taking
    the same address; it comes to an end, for each time it loses one, another has got it.
    """
    if wish.address is not None:
        for subnet in wish.subnets:
            if _insert(tx, subnet.id, wish.address, port_id):
                return subnet.id, wish.address
        raise AddressTaken(wish.address)
    wanted = 1
    for subnet in wish.subnets:
        while found := free(tx, subnet, wanted):
            address = found[int(port_id[:8], 16) % len(found)]
            if _insert(tx, subnet.id, address, port_id):
                return subnet.id, address
            wanted = _SPREAD
    raise NoAddressLeft(wish.network_id)


def _insert(tx: Transaction, subnet_id: str, address: str, port_id: str) -> bool:
    row = {"subnet_id": subnet_id, "address": address, "port_id": port_id}
    return insert_missing(tx, fixed_ips, row)


def free(reader: Reader, subnet: Subnet, count: int) -> Sequence[str]:
    """Return up to `count` free addresses of a subnet's pools, low ones first; none: it is full.

    They are the lowest while the pool is filled from its low end without gaps beyond the first
    window.
    """
    for pool in subnet.allocation_pools:
        first, last = (int(ipaddress.IPv4Address(pool[end])) for end in ("start", "end"))
        found = _of_pool(reader, subnet.id, first, last, count)
        if found:
            return [str(ipaddress.IPv4Address(number)) for number in found]
    return []


def _of_pool(reader: Reader, subnet_id: str, first: int, last: int, count: int) -> list[int]:
    def within(start: int, end: int) -> list[int]:
        values = {"subnet": subnet_id, "first": start, "last": min(end, last), "count": count}
        return [row.number for row in reader.rows(_free, values)]

    def window(number: int) -> list[int]:
        return within(first + number * WINDOW, first + (number + 1) * WINDOW - 1)

    found = window(0)
    windows = -(-(last - first + 1) // WINDOW)
    if found or windows == 1:
        return found
    full, step = 0, 1
    while step < windows and not (found := window(step)):
        full, step = step, step * 2
    if not found:
        return within(first, last)
    while step - full > 1:
        middle = (full + step) // 2
        lower = window(middle)
        if lower:
            found, step = lower, middle
        else:
            full = middle
    return found
