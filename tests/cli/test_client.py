"""Whom the operator's commands call as, and what they make of refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hanok.cli.client import Client, ClientError, Login, find_login, read_openrc, sentence_of
from tests.cli.conftest import Certificate, Running

ENVIRONMENT = {
    "OS_AUTH_URL": "http://cloud.example:5000/v2.0",
    "OS_USERNAME": "somebody",
    "OS_PASSWORD": "secret",
    "OS_TENANT_ID": "p" * 32,
    "OS_REGION_NAME": "KR2",
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    account = {"username": "admin", "password": "x", "project_id": "a" * 32, "project_name": "demo"}
    (tmp_path / "credentials.json").write_text(json.dumps({"admin": account, "member": account}))
    (tmp_path / "openrc").write_text(
        "export OS_AUTH_URL='https://here:1/v2.0'\nexport OS_REGION_NAME='KR1'\n"
    )
    return tmp_path


def test_openrc_is_read_as_a_shell_reads_it() -> None:
    text = "# ours\nexport A='a b'\nexport B=\"c'd\"\nC=e=f\n"
    assert read_openrc(text) == {"A": "a b", "B": "c'd", "C": "e=f"}


def test_the_state_directory_that_is_named_wins(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    login = find_login(state, None)
    assert (login.username, login.auth_url, login.region) == ("admin", "https://here:1", "KR1")
    login = find_login(None, None)
    assert (login.username, login.auth_url, login.region) == (
        "somebody",
        "http://cloud.example:5000",
        "KR2",
    )
    assert login.project == {"id": "p" * 32}
    assert find_login(None, "JP1").region == "JP1"


def test_the_default_state_directory_is_the_last_resort(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANOK_STATE", str(state))
    assert find_login(None, None).username == "admin"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("OS_PASSWORD")
    monkeypatch.delenv("OS_TENANT_ID")
    with pytest.raises(ClientError, match="OS_PASSWORD and OS_PROJECT_ID"):
        find_login(None, None)
    with pytest.raises(ClientError, match="holds no credentials"):
        find_login(tmp_path / "none", None)


def test_damaged_credentials_are_named(state: Path) -> None:
    (state / "credentials.json").write_text("{")
    with pytest.raises(ClientError, match="damaged"):
        find_login(state, None)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"code": 403, "message": "No.", "title": "Forbidden"}}', "No."),
        (b'{"itemNotFound": {"code": 404, "message": "No server."}}', "No server."),
        (b'{"NeutronError": {"type": "X", "message": "No port.", "detail": ""}}', "No port."),
        (
            b"<title>400 Bad Request</title> <h1>400 Bad Request</h1>\n No &lt;format&gt;.<br />",
            "No <format>.",
        ),
        (b"", "The server answered 502."),
        (b"[1]", "[1]"),
    ],
)
def test_the_sentence_of_any_services_error(body: bytes, said: str) -> None:
    assert sentence_of(body, 502) == said


def test_nothing_that_answers_is_said(state: Path) -> None:
    login = Login("http://127.0.0.1:9", "admin", "x", {"id": "a"}, "Default", "KR1")
    with pytest.raises(ClientError, match="is `hanok up` running"):
        Client(login)


def test_a_certificate_is_trusted_by_its_authority_alone(
    tls_region: Running, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = find_login(tls_region.state, None)
    with pytest.raises(ClientError, match=r"not trusted \(self.signed certificate\).*OS_CACERT"):
        Client(login)
    monkeypatch.setenv("OS_CACERT", str(certificate.cert))
    assert Client(login).compute("GET", "/flavors")["flavors"]


def test_an_unknown_region_is_answered_with_the_known(region: Running) -> None:
    client = Client(find_login(region.state, "KR9"))
    with pytest.raises(ClientError, match="no region KR9; the regions are: KR1"):
        client.compute("GET", "/flavors")


def test_a_member_is_told_as_whom_he_asked(
    region: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in read_openrc((region.state / "openrc").read_text()).items():
        monkeypatch.setenv(name, value)
    client = Client(find_login(None, None))
    with pytest.raises(ClientError, match=r"\(asked as demo\)"):
        client.identity("POST", "/projects", {"project": {"name": "mine"}})
