"""Addresses of subnets: which are free, and who gets one; the unique key decides.

An address is found without reading or counting all that is taken: the key is asked for a window
of addresses. Where the first window of a pool is full, so many marks are looked at that part the
rest of it evenly, then so many more between the last taken one and the first free one, until what
is between them is a window itself: three looks at a /16. Only a pool that is full at all of the
marks is looked through from end to end.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from itertools import islice

from sqlalchemy import bindparam, func, select

from hanok.model.network import Subnet
from hanok.model.port import AddressTaken, NoAddressLeft, Wish
from hanok.store.database import Reader, Transaction
from hanok.store.insert_missing import insert_missing
from hanok.store.region_tables import fixed_ips

WINDOW = 64
"""Addresses that are looked at by one statement."""
_SPREAD = 32
"""Among how many free addresses those choose that lost one to another."""

_of_subnet = select(fixed_ips.c.address).where(fixed_ips.c.subnet_id == bindparam("subnet"))
_among = _of_subnet.where(fixed_ips.c.address.in_(bindparam("addresses", expanding=True)))
_taken = select(fixed_ips.c.port_id).where(
    fixed_ips.c.subnet_id == bindparam("subnet"), fixed_ips.c.address == bindparam("address")
)


def taken(reader: Reader, subnet_id: str, address: str) -> bool:
    """Tell whether an address of a subnet has a port."""
    return reader.scalar(_taken, {"subnet": subnet_id, "address": address}) is not None


def counts(reader: Reader, subnet_ids: Iterable[str]) -> dict[str, int]:
    """Return how many addresses of each subnet have a port."""
    statement = (
        select(fixed_ips.c.subnet_id, func.count().label("taken"))
        .where(fixed_ips.c.subnet_id.in_(list(subnet_ids)))
        .group_by(fixed_ips.c.subnet_id)
    )
    return {row.subnet_id: int(row.taken) for row in reader.rows(statement)}


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

    They are the lowest while a pool is filled from below, and in the first window always.
    """
    for pool in subnet.allocation_pools:
        first, last = (int(ipaddress.IPv4Address(pool[end])) for end in ("start", "end"))
        found = _of_pool(reader, subnet.id, range(first, last + 1))
        if found:
            return found[:count]
    return []


def _of_pool(reader: Reader, subnet_id: str, pool: range) -> list[str]:
    found = _unused(reader, subnet_id, pool[:WINDOW])
    rest = pool[WINDOW:]
    if found or not rest:
        return found
    while len(rest) > WINDOW:
        step = -(-len(rest) // WINDOW)
        marks = _unused(reader, subnet_id, [*rest[step - 1 :: step], rest[-1]])
        if not marks:
            break
        end = rest.index(int(ipaddress.IPv4Address(marks[0]))) + 1
        rest = rest[max(0, end - step) : end]
    else:
        found = _unused(reader, subnet_id, rest)
    return found or _look_through(reader, subnet_id, pool)


def _unused(reader: Reader, subnet_id: str, numbers: Sequence[int]) -> list[str]:
    """Return which of a window's addresses have no port, in their order."""
    wanted = [_text(number) for number in numbers]
    rows = reader.rows(_among, {"subnet": subnet_id, "addresses": wanted})
    used = {row.address for row in rows}
    return [address for address in wanted if address not in used]


def _look_through(reader: Reader, subnet_id: str, pool: range) -> list[str]:
    """Return the first window's worth of a pool's unused addresses."""
    used = {row.address for row in reader.rows(_of_subnet, {"subnet": subnet_id})}
    unused = (address for address in map(_text, pool) if address not in used)
    return list(islice(unused, WINDOW))


def _text(number: int) -> str:
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
