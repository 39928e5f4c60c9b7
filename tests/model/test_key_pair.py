from __future__ import annotations

import base64
import dataclasses

import pytest

from hanok.model.errors import Invalid
from hanok.model.key_pair import KEY_LENGTH, KeyPair, check_name, fingerprint_of
from hanok.store.region_tables import key_pairs

RSA = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCbaCKd36zv3znUfDUUQ/rXckfAu11xYEMnqR/QabF1G06gecqoAu6G"
    "yGiBQ7r2ldh8+vJVSiGeu9dEyh1p23ZB8hAXpFpe/H/de8FDXv0rEq+TxFX4ulpsjQkc25/JuX+Dv9mXV8ML+dEo9cuP"
    "RamSa1tHrErkjTLocC7FM8dUytVRP8IKfy6lE5dPU5UPZZNaAjwxnHGLJFZlkZ7IKhPA0wRRxUdimPnyc3opE2J0p9Yr"
    "TWoEt/2DmNzgI4dYkjQCHzI89HcnXpi/GWCHhzYCPV3q27uYvpMu0Vi1AvcGPLYrBQHvw9uoo9mKyFndtIBFTvTJyNBB"
    "toJjw9IRTmS7"
)
RSA_1024 = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDLfvTPQ/vO8FUCBDxIThxMrbidGIeOHZsmT8l7UapM7gTDN2ac+Fne"
    "MnyzYzzO3yZjEDQiYNh+TXFbW7nbyqgNRcKn/CIkMhuOAQzN/UEiGUnnvoA6TTAXCT4br3kukE3gM3O/HfnvnaUayEFP"
    "5j6uEulNus6rrwTXpY9VSzMcOw=="
)
P256 = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGU2zVhjKR59WOV0b7cZ"
    "dnyHQe6QwXy2It2wUOZIK4YAOTWVm4v/QL4L6R4x9Y/QYgWfT6JxANfM+bHiI85ak2s="
)
P384 = (
    "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBLgbI6jlcCQ51a+o0qcM"
    "k+er5/UxfJ0ytDikLnoK/UDHct+OU+sxhVD7c0h+q4yJIdFU6hiXjvrIljwKJiZRxAHQmlg2NqpgD1XV8LLOJa0RjgAl"
    "pwHiynRGQMa2oRnhRw=="
)
P521 = (
    "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAAxMICB0yd8htFlXcfB"
    "qfidLkTE/uP7MQhVB5neazTS+j4mcVQmmL3yU/u5V4TBASjUurP1q9zpgIWD7dQipjXhxgDfjmJukBl4HT2yVa2+PcB7"
    "uMjTgDy2qppRWctkFEb41t9disQi9f8w8YEthDKV+m73XOSEPRrKk2X7X11qkaT9bQ=="
)
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJT8D2RZqet+03YgAirOfoLBorDpsHSMc7U+P8f63mMo"
SECURITY_KEY = (
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAEBAQEBAQEBAQEBAQEBAQ"
    "EBAQEBAQEBAQEBAQEBAQEBAAAABHNzaDo="
)
# As `ssh-keygen -l` prints them.
FINGERPRINTS = {
    RSA: "SHA256:0G2K/8IEkzDOKff5Tq3S7pWuLyHdenDGofJhvb2+Si4",
    RSA_1024: "SHA256:CjUvqe05V3fNtarCbutZuna0ECzGVuQSx89EmACs4wY",
    P256: "SHA256:hvLuvtadKqir2g0RSHalrby6zKOJmMAHKEU1QV1eERg",
    P384: "SHA256:V5QOTH/By1JkwdlVW3BCBjI4xeYP8ItPXJpq+a0rYc8",
    P521: "SHA256:PMMXBn3beTs/CiRVsbYKdpk4ldzyQPir7nWczA/MLE0",
    ED25519: "SHA256:eHjBVjfCVu7FqQlDk/F/Gv+Jsx0GtNi5HYGvkahG2Xw",
    SECURITY_KEY: "SHA256:1rYiSPZV2H9QsZrfrX/5nhreVmcpuSKQQYA/CKjnPfU",
}


def encoded(*parts: bytes) -> str:
    return base64.b64encode(b"".join(len(p).to_bytes(4, "big") + p for p in parts)).decode()


@pytest.mark.parametrize("key", FINGERPRINTS, ids=lambda key: key.split()[0])
@pytest.mark.parametrize("form", ["{}", "{} me@here", "{} a comment, 한글", " {} me\r\n"])
def test_fingerprints_are_those_of_ssh_keygen(key: str, form: str) -> None:
    assert fingerprint_of(form.format(key)) == FINGERPRINTS[key]


@pytest.mark.parametrize("between", ["\t", "  ", " \t "])
def test_a_key_s_parts_stand_apart_by_spaces_or_tabs(between: str) -> None:
    assert fingerprint_of(f"{ED25519} me".replace(" ", between)) == FINGERPRINTS[ED25519]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "no RSA, ECDSA or Ed25519"),
        ("ssh-rsa", "malformed"),
        ("ssh-rsa  ", "malformed"),
        ("ssh-rsa AAAA", "malformed"),
        ("ssh-rsa !!!!", "malformed"),
        ("ssh-rsa é", "malformed"),
        (f"{ED25519[:-4]}", "malformed"),
        (ED25519.replace("ssh-ed25519", "ssh-rsa", 1), "malformed"),
        ("ssh-dss AAAAB3NzaC1kc3MAAACB", "no RSA, ECDSA or Ed25519"),
        ("-----BEGIN RSA PUBLIC KEY-----", "no RSA, ECDSA or Ed25519"),
        (f'command="id" {ED25519}', "no RSA, ECDSA or Ed25519"),
        (ED25519.replace(" ", "\u00a0"), "no RSA, ECDSA or Ed25519"),
        (f"{ED25519} a\n{RSA} b", "more than one line"),
        (f"{ED25519} a\rb", "more than one line"),
        (f"{ED25519} a\u2028b", "more than one line"),
        (f"{ED25519} \x1b[2J", "more than one line"),
        (f"{ED25519} " + "c" * KEY_LENGTH, "characters"),
        ("ssh-rsa " + encoded(b"ssh-rsa", b"\1\0\1", b"\x7f" * 64), "1024 to 16384 bits"),
        ("ssh-rsa " + encoded(b"ssh-rsa", b"\1\0\1", b"\x7f" * 3000), "1024 to 16384 bits"),
        ("ecdsa-sha2-nistp256 " + encoded(b"ecdsa-sha2-nistp256", b"nistp256", b"\4"), "malformed"),
    ],
)
def test_what_is_no_key_is_refused(key: str, reason: str) -> None:
    with pytest.raises(Invalid, match=r"^Keypair data is invalid: ") as caught:
        fingerprint_of(key)
    assert reason in caught.value.message


@pytest.mark.parametrize("name", ["k", "My key-1_x", "x" * 255])
def test_a_name_is_kept(name: str) -> None:
    assert check_name(f"  {name} ") == name


@pytest.mark.parametrize("name", ["", "  ", "x" * 256, "a/b", "a.b", "키", "a\nb", "../x", "a'b"])
def test_a_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        check_name(name)


def test_it_has_the_columns_of_its_table() -> None:
    assert {field.name for field in dataclasses.fields(KeyPair)} == set(key_pairs.c.keys())
