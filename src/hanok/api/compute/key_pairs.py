"""Key pairs of the calling user: list, show, create or register, delete."""

from __future__ import annotations

from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from hanok.api import _paging
from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.compute.links import links_of
from hanok.model.errors import Conflict, Invalid, NotFound, QuotaExceeded
from hanok.model.key_pair import KeyPair, check_name, fingerprint_of
from hanok.model.moments import iso_micro
from hanok.store import key_pairs, quotas
from hanok.store.database import Reader

ROOT = "/v2/{tenant}/os-keypairs"
RSA_BITS = 2048
_COMMENT = "Generated-by-Nova"
"""What the guide shows as the comment of a generated key; clients may look for it."""


class _KeyPair(msgspec.Struct):
    name: str
    public_key: str | None = None


class _Create(msgspec.Struct):
    keypair: _KeyPair


def generate() -> tuple[str, str]:
    """Make an RSA pair: the public key in OpenSSH's form, the private one in PEM (PKCS #1)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return f"{public.decode()} {_COMMENT}", private.decode()


def _short(pair: KeyPair) -> dict[str, Any]:
    return {
        "public_key": pair.public_key,
        "name": pair.name,
        "fingerprint": pair.fingerprint,
    }


def _list(call: Call) -> Answer:
    """List the user's key pairs by name, each wrapped once more, as the guide shows."""
    page = _paging.page(call.query, default=_paging.LARGEST)
    user_id = call.credentials.user_id
    with call.region.store.read() as reader:
        if page.marker is not None and key_pairs.get(reader, user_id, page.marker) is None:
            raise Invalid(f"marker [{page.marker}] not found")
        found = key_pairs.page(reader, user_id, page.limit + 1, page.marker)
    shown = found[: page.limit]
    body: dict[str, Any] = {"keypairs": [{"keypair": _short(pair)} for pair in shown]}
    if shown and len(found) > len(shown):
        address = links_of(call, "/v2").collection("os-keypairs")
        body["keypairs_links"] = _paging.next_links(call.query, shown[-1].name, address)
    return Answer(200, body)


def _missing(call: Call) -> NotFound:
    name, user_id = call.params["keypair"], call.credentials.user_id
    return NotFound(f"Keypair {name} not found for user {user_id}")


def _show(call: Call) -> Answer:
    with call.region.store.read() as reader:
        pair = key_pairs.get(reader, call.credentials.user_id, call.params["keypair"])
    if pair is None:
        raise _missing(call)
    view = {
        **_short(pair),
        "user_id": pair.user_id,
        "deleted": False,
        "created_at": iso_micro(pair.created_at),
        "updated_at": None,
        "deleted_at": None,
        "id": pair.id,
    }
    return Answer(200, {"keypair": view})


def _create(call: Call) -> Answer:
    """Register a public key, or make a pair where none is given (absent, null or blank).

    A made private key is in this answer and nowhere else. The pair is made outside the
    transaction: it takes a good part of a second.
    """
    asked = decode(call.body, _Create).keypair
    name, user_id = check_name(asked.name), call.credentials.user_id
    public_key, private_key = asked.public_key or "", None
    if public_key.strip():
        fingerprint = fingerprint_of(public_key)
    else:
        with call.region.store.read() as reader:
            _check_room(reader, call, name)
        public_key, private_key = generate()
        fingerprint = fingerprint_of(public_key)
    pair = KeyPair(0, user_id, name, public_key, fingerprint, call.region.clock.now())
    with call.region.store.write() as tx:
        key_pairs.lock(tx, user_id)
        _check_room(tx, call, name)
        if key_pairs.add(tx, pair) is None:
            raise _taken(name)
    view = {**_short(pair), "user_id": user_id}
    if private_key is not None:
        view["private_key"] = private_key
    return Answer(200, {"keypair": view})


def _taken(name: str) -> Conflict:
    return Conflict(f"Key pair '{name}' already exists.")


def _check_room(reader: Reader, call: Call, name: str) -> None:
    """Raise Conflict where the name is taken, QuotaExceeded where the user may have no more."""
    user_id = call.credentials.user_id
    if key_pairs.get(reader, user_id, name) is not None:
        raise _taken(name)
    limit = quotas.limits_of(reader, call.credentials.project_id).key_pairs
    if 0 <= limit <= key_pairs.count(reader, user_id):
        raise QuotaExceeded("Quota exceeded, too many key pairs.")


def _delete(call: Call) -> Answer:
    with call.region.store.write() as tx:
        if not key_pairs.remove(tx, call.credentials.user_id, call.params["keypair"]):
            raise _missing(call)
    return Answer(202)


ENDPOINTS = (
    Endpoint("GET", ROOT, _list, "keypairs:read"),
    Endpoint("POST", ROOT, _create, "keypairs:write", slow=True),
    Endpoint("GET", f"{ROOT}/{{keypair}}", _show, "keypairs:read"),
    Endpoint("DELETE", f"{ROOT}/{{keypair}}", _delete, "keypairs:write"),
)
