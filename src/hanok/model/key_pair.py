"""A key pair: a user's public SSH key, by name; and what is accepted as one."""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from hanok.model.errors import Invalid

NAME_LENGTH = 255
KEY_LENGTH = 16_384
"""Characters of a public key with its comment; RSA of 16,384 bits needs 2,750."""
RSA_BITS = range(1_024, 16_384 + 1)
"""What OpenSSH itself loads."""
KEY_TYPES = (
    "ssh-rsa",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
_BETWEEN = re.compile(r"[ \t]+")
_NAME = re.compile(r"[A-Za-z0-9 _-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A stored key pair; the private half is never stored. `public_key` is as it was given."""

    id: int
    user_id: str
    name: str
    public_key: str
    fingerprint: str
    created_at: int


def check_name(name: str) -> str:
    """Return a key pair's name without outer spaces; raises Invalid.

    Nova's rule at 2.1: 1 to 255 of letters, digits, space, `-` and `_`.
    """
    name = name.strip()
    if not name:
        raise Invalid("Invalid input for field/attribute name. Value: . '' is too short")
    if len(name) > NAME_LENGTH:
        raise Invalid(
            f"Invalid input for field/attribute name. Value: {name[:32]}…. It is too long: a key "
            f"pair's name has at most {NAME_LENGTH} characters"
        )
    if not _NAME.fullmatch(name):
        raise Invalid(
            "Keypair data is invalid: Keypair name contains unsafe characters: only letters, "
            "digits, spaces, '-' and '_' are allowed"
        )
    return name


def fingerprint_of(public_key: str) -> str:
    """Return a public key's fingerprint as ssh-keygen prints it: SHA256:base64.

    `public_key` is one line in OpenSSH's form: type, base64, comment; spaces and line ends around
    it do no harm. Raises Invalid for anything else, a second line above all: whoever writes the
    key into authorized_keys trusts that it is one.
    """
    text = public_key.strip()
    if len(text) > KEY_LENGTH:
        raise _unusable(f"it has more than {KEY_LENGTH} characters")
    if _CONTROL.search(text):
        raise _unusable("it is more than one line of text")
    kind, encoded, *_ = [*_BETWEEN.split(text, maxsplit=2), "", ""]
    if kind not in KEY_TYPES:
        raise _unusable("it is no RSA, ECDSA or Ed25519 public key in OpenSSH's form")
    try:
        key = load_ssh_public_key(f"{kind} {encoded}".encode())
        blob = binascii.a2b_base64(encoded, strict_mode=True)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable("the key is malformed") from error
    if isinstance(key, RSAPublicKey) and key.key_size not in RSA_BITS:
        raise _unusable(f"an RSA key has {RSA_BITS[0]} to {RSA_BITS[-1]} bits")
    digest = b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def _unusable(reason: str) -> Invalid:
    return Invalid(f"Keypair data is invalid: failed to generate fingerprint: {reason}")
