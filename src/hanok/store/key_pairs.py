"""Key pairs: a user's own, by name."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import bindparam, delete, func, select

from hanok.model.key_pair import KeyPair
from hanok.store.database import Reader, Transaction
from hanok.store.insert_missing import insert_missing
from hanok.store.region_tables import key_pairs

_LOCKS = 0x6B657973
"""The class of this module's advisory locks on PostgreSQL ("keys")."""

_columns = [key_pairs.c[field.name] for field in fields(KeyPair)]
_of_user = select(*_columns).where(key_pairs.c.user_id == bindparam("user"))
_one = _of_user.where(key_pairs.c.name == bindparam("name"))
_first = _of_user.order_by(key_pairs.c.name).limit(bindparam("limit"))
_next = (
    _of_user.where(key_pairs.c.name > bindparam("marker"))
    .order_by(key_pairs.c.name)
    .limit(bindparam("limit"))
)
_count = select(func.count()).where(key_pairs.c.user_id == bindparam("user"))
_delete = delete(key_pairs).where(
    key_pairs.c.user_id == bindparam("user"), key_pairs.c.name == bindparam("name")
)


def get(reader: Reader, user_id: str, name: str) -> KeyPair | None:
    """Return a user's key pair."""
    row = reader.first(_one, {"user": user_id, "name": name})
    return None if row is None else KeyPair(**row._mapping)


def page(reader: Reader, user_id: str, limit: int, marker: str | None = None) -> list[KeyPair]:
    """Return a user's key pairs by name, those after the name `marker`."""
    params = {"user": user_id, "limit": limit}
    if marker is None:
        return [KeyPair(**row._mapping) for row in reader.rows(_first, params)]
    return [KeyPair(**row._mapping) for row in reader.rows(_next, {**params, "marker": marker})]


def count(reader: Reader, user_id: str) -> int:
    """Return how many key pairs a user has."""
    return int(reader.scalar(_count, {"user": user_id}))


def lock(tx: Transaction, user_id: str) -> None:
    """Keep others from adding key pairs of a user until this transaction ends.

    On SQLite the writer is alone anyway.
    """
    if tx.dialect == "postgresql":
        tx.scalar(select(func.pg_advisory_xact_lock(_LOCKS, func.hashtext(user_id))))


def add(tx: Transaction, pair: KeyPair) -> KeyPair | None:
    """Store a key pair and return it with the id that it got; None where the name is taken.

    The id of `pair` is not read.
    """
    row = {field.name: getattr(pair, field.name) for field in fields(KeyPair)}
    del row["id"]
    if not insert_missing(tx, key_pairs, row):
        return None
    return get(tx, pair.user_id, pair.name)


def remove(tx: Transaction, user_id: str, name: str) -> bool:
    """Remove a user's key pair; False where there is none. Servers keep their key."""
    return tx.run(_delete, {"user": user_id, "name": name}) > 0
