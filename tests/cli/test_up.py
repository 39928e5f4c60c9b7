"""`hanok up` as a process: what it says, how it ends, what it refuses."""

from __future__ import annotations

import re
import signal
import ssl
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from hanok.cli.client import read_openrc
from hanok.cli.up import up
from tests.cli.conftest import (
    HANOK,
    Certificate,
    Running,
    clean_environment,
    make_certificate,
    start,
    stop,
)


def refused(*options: str) -> str:
    """What a start that must fail says; it ends with 1 and says one line."""
    done = subprocess.run(
        [HANOK, "up", "--driver", "simulated", *options],
        capture_output=True,
        text=True,
        timeout=30,
        env=clean_environment(),
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_it_says_ready_once_and_answers_then(region: Running) -> None:
    ready = [line for line in region.said if line.startswith("hanok: ready ")]
    assert ready == [f"hanok: ready {region.url}"]
    assert httpx.get(f"{region.url}/v2.0", trust_env=False).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_five_seconds_and_starts_again(
    tmp_path: Path, number: signal.Signals
) -> None:
    state = tmp_path / "state"
    running = start(state)
    credentials = (state / "credentials.json").read_text()
    began = time.monotonic()
    running.process.send_signal(number)
    assert running.process.wait(5) == 0
    assert time.monotonic() - began < 5
    stop(running)
    again = start(state)
    try:
        assert (state / "credentials.json").read_text() == credentials
        assert not any("credentials are in" in line for line in again.said)
    finally:
        assert stop(again) == 0


def test_a_second_process_on_the_directory_is_refused(region: Running) -> None:
    said = refused("--state", str(region.state), "--port", "0")
    assert f"Another hanok works on {region.state}" in said


def test_a_port_that_is_taken_is_named(region: Running, tmp_path: Path) -> None:
    port = region.url.rpartition(":")[2]
    said = refused("--state", str(tmp_path / "state"), "--port", port)
    assert said == (f"hanok: Cannot listen on 127.0.0.1 port {port}: Address already in use.\n")
    assert not (tmp_path / "state").exists()


def test_settings_that_cannot_work_are_named(tmp_path: Path) -> None:
    said = refused("--state", str(tmp_path / "state"), "--tls-cert", "cert.pem")
    assert "both a certificate and its key" in said


def test_with_a_certificate_all_of_it_is_https(
    tls_region: Running, certificate: Certificate
) -> None:
    assert tls_region.url.startswith("https://127.0.0.1:")
    openrc = read_openrc((tls_region.state / "openrc").read_text())
    assert f'"{tls_region.url}/v3"' in (tls_region.state / "clouds.yaml").read_text()
    login = {"username": openrc["OS_USERNAME"], "password": openrc["OS_PASSWORD"]}
    auth = {"tenantId": openrc["OS_TENANT_ID"], "passwordCredentials": login}
    trusting = ssl.create_default_context(cafile=str(certificate.cert))
    with httpx.Client(verify=trusting, trust_env=False) as client:
        answer = client.post(f"{openrc['OS_AUTH_URL']}/tokens", json={"auth": auth})
        assert answer.status_code == 200
        access = answer.json()["access"]
        client.headers["X-Auth-Token"] = access["token"]["id"]
        addresses = {
            endpoint["publicURL"]
            for service in access["serviceCatalog"]
            for endpoint in service["endpoints"]
        }
        assert all(address.startswith(f"{tls_region.url}/") for address in addresses)
        (compute,) = [address for address in addresses if "/compute/" in address]
        flavor = client.get(f"{compute}/flavors").json()["flavors"][0]
        assert flavor["links"][0]["href"].startswith(f"{compute}/flavors/")
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(tls_region.url, trust_env=False)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(tls_region.url.replace("https:", "http:"), trust_env=False)


def test_a_certificate_that_cannot_be_used_is_named(
    certificate: Certificate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = make_certificate(tmp_path, b"secret")
    state = tmp_path / "state"
    for cert, key, said in (
        (tmp_path / "none.pem", sealed.key, r"none\.pem cannot be read: No such file"),
        (certificate.cert, tmp_path / "none.pem", r"none\.pem cannot be read: No such file"),
        (certificate.key, certificate.cert, "not a certificate and its key"),
        (certificate.cert, sealed.key, "without a password"),
        (sealed.cert, certificate.key, "KEY_VALUES_MISMATCH"),
    ):
        options = {"state": state, "port": 0, "tls_cert": cert, "tls_key": key}
        assert up({**options, "driver": "simulated"}, None) == 1
        assert re.search(said, capsys.readouterr().err)
    assert not state.exists()
