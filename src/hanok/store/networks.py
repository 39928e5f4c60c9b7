"""Networks and subnets, as a project sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update

from hanok.model.network import Network, Subnet
from hanok.store.database import Reader, Transaction
from hanok.store.region_tables import fixed_ips, networks, ports, subnets

_columns = [networks.c[f.name] for f in fields(Network)]
_subnet_columns = [subnets.c[f.name] for f in fields(Subnet)]
_seen = or_(networks.c.project_id == bindparam("project"), networks.c.shared)
_all = select(*_columns).where(_seen).order_by(networks.c.created_at, networks.c.id)
_one = select(*_columns).where(_seen, networks.c.id == bindparam("id"))
_of_network = (
    select(*_subnet_columns)
    .where(subnets.c.network_id == bindparam("network"))
    .order_by(subnets.c.created_at, subnets.c.id)
)
_subnet = (
    select(*_subnet_columns)
    .select_from(subnets.join(networks, networks.c.id == subnets.c.network_id))
    .where(_seen, subnets.c.id == bindparam("id"))
)


def visible(reader: Reader, project_id: str) -> list[Network]:
    """Return the networks that a project may use."""
    return [Network(**row._mapping) for row in reader.rows(_all, {"project": project_id})]


def network(reader: Reader, project_id: str, network_id: str) -> Network | None:
    """Return one network that a project may use."""
    row = reader.first(_one, {"project": project_id, "id": network_id})
    return None if row is None else Network(**row._mapping)


def find(reader: Reader, network_id: str) -> Network | None:
    """Return a network of any project."""
    row = reader.first(select(*_columns).where(networks.c.id == network_id))
    return None if row is None else Network(**row._mapping)


def subnets_of(reader: Reader, network_id: str) -> list[Subnet]:
    """Return a network's subnets, the oldest first."""
    return [Subnet(**row._mapping) for row in reader.rows(_of_network, {"network": network_id})]


def subnet(reader: Reader, project_id: str, subnet_id: str) -> Subnet | None:
    """Return one subnet of a network that a project may use."""
    row = reader.first(_subnet, {"project": project_id, "id": subnet_id})
    return None if row is None else Subnet(**row._mapping)


def hold(tx: Transaction, network_id: str, *, alone: bool = False) -> bool:
    """Keep a network from being removed until the transaction ends; False when there is none.

    With `alone`, no other such holder is let in: for whoever takes several addresses, and could
    otherwise wait for one who waits for him.
    """
    statement = select(networks.c.id).where(networks.c.id == network_id)
    locked = statement.with_for_update(read=not alone, key_share=True)
    return tx.scalar(locked) is not None


def lock(tx: Transaction, network_id: str) -> None:
    """Keep everybody else from a network until the transaction ends, who makes a port on it, too.

    Taken before its subnets change or go.
    """
    tx.rows(select(networks.c.id).where(networks.c.id == network_id).with_for_update())


def has_ports(reader: Reader, network_id: str, *, but_of: str | None = None) -> bool:
    """Tell whether a network has ports, or (`but_of`) ports of projects other than that one."""
    statement = select(ports.c.id).where(ports.c.network_id == network_id)
    if but_of is not None:
        statement = statement.where(ports.c.project_id != but_of)
    return reader.first(statement.limit(1)) is not None


def has_addresses(reader: Reader, subnet_id: str) -> bool:
    """Tell whether a port has an address of a subnet."""
    statement = select(fixed_ips.c.port_id).where(fixed_ips.c.subnet_id == subnet_id)
    return reader.first(statement.limit(1)) is not None


def change(tx: Transaction, network_id: str, values: Mapping[str, Any], now: int) -> None:
    """Change columns of a network."""
    tx.run(update(networks).where(networks.c.id == network_id).values(**values, updated_at=now))


def change_subnet(tx: Transaction, subnet_id: str, values: Mapping[str, Any], now: int) -> None:
    """Change columns of a subnet."""
    tx.run(update(subnets).where(subnets.c.id == subnet_id).values(**values, updated_at=now))


def remove(tx: Transaction, network_id: str) -> bool:
    """Remove a network with its subnets; False, with nothing done, while it has ports."""
    lock(tx, network_id)
    if has_ports(tx, network_id):
        return False
    tx.run(delete(subnets).where(subnets.c.network_id == network_id))
    tx.run(delete(networks).where(networks.c.id == network_id))
    return True


def remove_subnet(tx: Transaction, subnet: Subnet) -> bool:
    """Remove a subnet; False, with nothing done, while a port has an address of it."""
    lock(tx, subnet.network_id)
    if has_addresses(tx, subnet.id):
        return False
    tx.run(delete(subnets).where(subnets.c.id == subnet.id))
    return True


def add(tx: Transaction, one: Network) -> None:
    """Store a network."""
    tx.run(insert(networks), asdict(one))


def add_subnet(tx: Transaction, one: Subnet) -> None:
    """Store a subnet."""
    tx.run(insert(subnets), asdict(one))


_all_subnets = (
    select(*_subnet_columns)
    .select_from(subnets.join(networks, networks.c.id == subnets.c.network_id))
    .where(_seen)
    .order_by(subnets.c.created_at, subnets.c.id)
)


def all_subnets(reader: Reader, project_id: str) -> list[Subnet]:
    """Return the subnets of every network that a project may use."""
    return [Subnet(**row._mapping) for row in reader.rows(_all_subnets, {"project": project_id})]
