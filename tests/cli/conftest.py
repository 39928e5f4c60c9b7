"""A simulated region that runs as its own process, as operators run it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HANOK = Path(sys.executable).with_name("hanok")


def clean_environment() -> dict[str, str]:
    """This process's environment without what would change the command's defaults."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("OS_", "HANOK_"))
    }


@dataclass
class Running:
    """A region's process: its state directory, its address, what it said."""

    process: subprocess.Popen[str]
    state: Path
    url: str
    said: list[str]


def start(state: Path, *options: str) -> Running:
    """Start `hanok up` with the simulated driver and wait until it serves."""
    process = subprocess.Popen(
        [HANOK, "up", "--driver", "simulated", "--state", state, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environment(),
    )
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line.rstrip())
        if line.startswith("hanok: ready "):
            # What it says later must not fill the pipe.
            threading.Thread(target=said.extend, args=(process.stdout,), daemon=True).start()
            return Running(process, state, line.split()[-1], said)
    raise AssertionError(f"hanok up ended with {process.wait(10)}: {said}")


def stop(running: Running) -> int:
    """End it by SIGTERM; return its exit code."""
    running.process.terminate()
    try:
        return running.process.wait(5)
    finally:
        running.process.kill()
        running.process.wait(5)
        if running.process.stdout is not None:
            running.process.stdout.close()


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One region for all tests of this folder; they add to it and do not spoil it."""
    running = start(tmp_path_factory.mktemp("region") / "state")
    yield running
    stop(running)


@dataclass(frozen=True)
class Certificate:
    """A certificate that vouches for itself, for 127.0.0.1, and its key."""

    cert: Path
    key: Path


def make_certificate(folder: Path, password: bytes | None = None) -> Certificate:
    """Write a certificate and its key into a folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "here")])
    now = dt.datetime.now(dt.UTC)
    cert = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        # Python 3.13 asks of an authority what RFC 5280 does.
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    sealed = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    made.cert.write_bytes(cert.public_bytes(pem))
    made.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, sealed))
    return made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate without a password."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def tls_region(
    tmp_path_factory: pytest.TempPathFactory, certificate: Certificate
) -> Iterator[Running]:
    """A region that serves HTTPS."""
    state = tmp_path_factory.mktemp("tls-region") / "state"
    options = ("--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key))
    running = start(state, *options)
    yield running
    stop(running)


@pytest.fixture(autouse=True)
def _defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(os.environ) - set(clean_environment()):
        if name != "HANOK_TEST_BOOTS":
            monkeypatch.delenv(name)
