"""Key pairs: public keys by a user's name for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A registered public key in OpenSSH's form; its private half is never stored."""

    id: int
    user_id: str
    name: str
    public_key: str
    fingerprint: str
    created_at: int
