"""Key pairs of users."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import bindparam, select

from hanok.model.key_pair import KeyPair
from hanok.store.database import Reader
from hanok.store.region_tables import key_pairs

_columns = [key_pairs.c[f.name] for f in fields(KeyPair)]
_one = select(*_columns).where(
    key_pairs.c.user_id == bindparam("user"), key_pairs.c.name == bindparam("name")
)


def get(reader: Reader, user_id: str, name: str) -> KeyPair | None:
    """Return a user's key pair."""
    row = reader.first(_one, {"user": user_id, "name": name})
    return None if row is None else KeyPair(**row._mapping)
