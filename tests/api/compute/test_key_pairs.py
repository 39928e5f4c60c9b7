from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from sqlalchemy import select

from hanok.api._call import Service
from hanok.api._errors import compute_shape
from hanok.api.compute.key_pairs import ENDPOINTS
from hanok.store import quotas
from hanok.store.region_tables import key_pairs as table
from tests.api.one_region import CALLERS, OneRegion, one_region
from tests.model.test_key_pair import ED25519, FINGERPRINTS
from tests.region_store import MINE, OTHER

PAIRS = "/v2/{tenant}/os-keypairs"
USER = CALLERS["member"].user_id


@pytest.fixture
def api(database_url: str) -> Iterator[OneRegion]:
    with one_region(database_url, Service("compute", ENDPOINTS, compute_shape)) as region:
        yield region


def register(api: OneRegion, name: str, key: str = ED25519, caller: str = "member") -> Any:
    body = {"keypair": {"name": name, "public_key": key}}
    result = api.call("POST", PAIRS, body, caller=caller)
    assert result.status_code == 200, result.text
    return result.json["keypair"]


@pytest.mark.parametrize("more", [{}, {"public_key": None}, {"public_key": ""}])
def test_a_pair_is_generated(api: OneRegion, more: dict[str, Any]) -> None:
    result = api.call("POST", PAIRS, {"keypair": {"name": "mine", **more}})
    assert result.status_code == 200
    made = result.json["keypair"]
    assert made.keys() == {"name", "public_key", "private_key", "user_id", "fingerprint"}
    assert (made["name"], made["user_id"]) == ("mine", USER)
    assert made["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    key = load_pem_private_key(made["private_key"].encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert made["public_key"] == f"{public} Generated-by-Nova"
    blob = base64.b64decode(public.split()[1])
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    assert made["fingerprint"] == f"SHA256:{digest}"


def test_the_private_key_is_nowhere_else(api: OneRegion) -> None:
    made = api.call("POST", PAIRS, {"keypair": {"name": "mine"}}).json["keypair"]
    shown = api.get(f"{PAIRS}/mine")["keypair"]
    assert "private_key" not in shown
    assert shown["public_key"] == made["public_key"]
    with api.store.read() as reader:
        [row] = reader.rows(select(table))
    assert "PRIVATE" not in str(tuple(row))


def test_a_registered_key_comes_back_as_it_was_given(api: OneRegion) -> None:
    """Terraform compares it with its own text, a final line end included."""
    given = f"{ED25519} me@here\n"
    made = register(api, " my key-1 ", given)
    fingerprint = FINGERPRINTS[ED25519]
    assert made == {
        "name": "my key-1",
        "public_key": given,
        "user_id": USER,
        "fingerprint": fingerprint,
    }
    shown = api.get(f"{PAIRS}/my%20key-1")["keypair"]
    assert isinstance(shown.pop("id"), int)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", shown.pop("created_at"))
    assert shown == {**made, "deleted": False, "updated_at": None, "deleted_at": None}


def test_the_list_wraps_each_once_more(api: OneRegion) -> None:
    for name in ("b", "a"):
        register(api, name)
    assert api.get(PAIRS) == {
        "keypairs": [
            {
                "keypair": {
                    "name": name,
                    "public_key": ED25519,
                    "fingerprint": FINGERPRINTS[ED25519],
                }
            }
            for name in ("a", "b")
        ]
    }


def test_pages_are_linked(api: OneRegion) -> None:
    for name in ("a b", "c", "d"):
        register(api, name)
    body = api.get(f"{PAIRS}?limit=1")
    assert [one["keypair"]["name"] for one in body["keypairs"]] == ["a b"]
    [link] = body["keypairs_links"]
    assert link["href"] == f"{api.root}/v2/{MINE}/os-keypairs?limit=1&marker=a+b"
    rest = api.get(f"{PAIRS}?marker=a%20b")
    assert [one["keypair"]["name"] for one in rest["keypairs"]] == ["c", "d"]
    assert "keypairs_links" not in rest
    assert api.get(f"{PAIRS}?limit=0") == {"keypairs": []}
    assert api.refused("GET", f"{PAIRS}?marker=x") == (400, "marker [x] not found")
    assert api.refused("GET", f"{PAIRS}?limit=x")[0] == 400


def test_a_pair_is_its_users_alone(api: OneRegion) -> None:
    register(api, "same")
    register(api, "same", caller="colleague")
    missing = f"Keypair same not found for user {CALLERS['other'].user_id}"
    for method in ("GET", "DELETE"):
        assert api.refused(method, f"{PAIRS}/same", caller="other") == (404, missing)
    assert api.get(PAIRS, caller="other") == {"keypairs": []}
    deleted = api.call("DELETE", f"{PAIRS}/same")
    assert (deleted.status_code, deleted.text) == (202, "")
    assert api.refused("DELETE", f"{PAIRS}/same")[0] == 404
    assert api.call("GET", f"{PAIRS}/same", caller="colleague").status_code == 200


@pytest.mark.parametrize(
    ("keypair", "message"),
    [
        ({}, "name"),
        ({"name": ""}, "too short"),
        ({"name": "x" * 256}, "at most 255"),
        ({"name": 5}, "name"),
        ({"name": "a/b"}, "unsafe characters"),
        ({"name": "a\0b"}, "NUL"),
        ({"name": "k", "public_key": "nonsense"}, "Keypair data is invalid: "),
        ({"name": "k", "public_key": f"{ED25519}\n{ED25519}"}, "Keypair data is invalid: "),
        ({"name": "k", "public_key": 7}, "public_key"),
    ],
)
def test_what_is_wrong_is_said(api: OneRegion, keypair: dict[str, Any], message: str) -> None:
    status, said = api.refused("POST", PAIRS, {"keypair": keypair})
    assert status == 400
    assert message in said
    assert api.get(PAIRS) == {"keypairs": []}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"keypair": null}', b"[" * 5000])
def test_a_malformed_body_is_refused(api: OneRegion, body: bytes) -> None:
    assert api.refused("POST", PAIRS, body)[0] == 400


def test_keys_that_the_guide_does_not_know_are_ignored(api: OneRegion) -> None:
    keypair = {"name": "k", "public_key": ED25519, "type": "ssh", "user_id": OTHER}
    result = api.call("POST", PAIRS, {"keypair": keypair, "more": 1})
    assert result.status_code == 200
    assert result.json["keypair"]["user_id"] == USER


@pytest.mark.parametrize("key", [ED25519, None])
def test_a_name_is_taken_once(api: OneRegion, key: str | None) -> None:
    register(api, "k")
    said = api.refused("POST", PAIRS, {"keypair": {"name": "k", "public_key": key}})
    assert said == (409, "Key pair 'k' already exists.")


def test_of_several_at_once_one_gets_the_name(api: OneRegion) -> None:
    body = {"keypair": {"name": "k", "public_key": ED25519}}
    assert sorted(api.at_once(4, "POST", PAIRS, body)) == [200, 409, 409, 409]


@pytest.mark.parametrize("key", [ED25519, None])
def test_the_quota_holds(api: OneRegion, key: str | None) -> None:
    with api.store.write() as tx:
        quotas.change(tx, MINE, {"key_pairs": 1})
    register(api, "k")
    said = api.refused("POST", PAIRS, {"keypair": {"name": "l", "public_key": key}})
    assert said == (403, "Quota exceeded, too many key pairs.")
    with api.store.write() as tx:
        quotas.change(tx, MINE, {"key_pairs": -1})
    register(api, "l")


def test_the_default_quota_is_a_hundred(api: OneRegion) -> None:
    for number in range(100):
        register(api, f"k{number}")
    body = {"keypair": {"name": "one-more", "public_key": ED25519}}
    assert api.refused("POST", PAIRS, body)[0] == 403
    assert len(api.get(PAIRS)["keypairs"]) == 100


def test_a_reader_changes_nothing(api: OneRegion) -> None:
    assert api.refused("POST", PAIRS, {"keypair": {"name": "k"}}, caller="reader")[0] == 403
    assert api.refused("DELETE", f"{PAIRS}/k", caller="reader")[0] == 403
    assert api.get(PAIRS, caller="reader") == {"keypairs": []}
