"""What an operator adds and lists, through a running region's API."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hanok.cli.client import Client, find_login, read_openrc
from hanok.cli.commands import run
from tests.cli.conftest import Running

Capture = pytest.CaptureFixture[str]


def test_projects(region: Running, capsys: Capture) -> None:
    state = ["--state", str(region.state)]
    assert run(["project", "add", "shop", "--description", "the web shop", *state]) == 0
    made = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert run(["project", "list", *state]) == 0
    title, *rows = capsys.readouterr().out.splitlines()
    assert title.split() == ["NAME", "ID", "ENABLED", "DESCRIPTION"]
    assert [row.split(maxsplit=3) for row in rows if row.startswith("shop ")] == [
        ["shop", made["id"], "yes", "the web shop"]
    ]
    assert any(row.startswith("demo ") for row in rows)
    assert run(["project", "add", "shop", *state]) == 1
    assert capsys.readouterr().err == "hanok: There is already a project named 'shop'.\n"


def limits(text: str) -> dict[str, list[str]]:
    title, *rows = text.splitlines()
    assert title.split() == ["LIMIT", "MOST", "IN", "USE"]
    return {row.split()[0]: row.split()[1:] for row in rows}


def test_a_project_s_quota(region: Running, capsys: Capture) -> None:
    state = ["--state", str(region.state)]
    assert run(["project", "add", "bank", *state]) == 0
    capsys.readouterr()
    assert run(["project", "quota", "bank", *state]) == 0
    defaults = limits(capsys.readouterr().out)
    assert defaults == {
        "instances": ["10", "0"],
        "cores": ["20", "0"],
        "ram": ["51200", "0"],
        "key_pairs": ["100", "0"],
        "metadata_items": ["128", "0"],
    }
    changes = ["--instances", "3", "--ram", "-1", "--key-pairs", "7"]
    for options in (changes, []):  # what was changed stays
        assert run(["project", "quota", "bank", *options, *state]) == 0
        changed = {"instances": ["3", "0"], "ram": ["-1", "0"], "key_pairs": ["7", "0"]}
        assert limits(capsys.readouterr().out) == {**defaults, **changed}
    for options, said in (
        (["nowhere"], "There is no project nowhere; there are: "),
        (["bank", "--cores", "-2"], "Invalid input for field/attribute cores."),
    ):
        assert run(["project", "quota", *options, *state]) == 1
        assert capsys.readouterr().err.startswith(f"hanok: {said}")


def test_users(region: Running, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    state = ["--state", str(region.state)]
    assert run(["project", "add", "blog", *state]) == 0
    capsys.readouterr()
    assert run(["user", "add", "ann", "--project", "blog", "--role", "admin", *state]) == 0
    made = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    for name, value in {
        "OS_AUTH_URL": region.url,
        "OS_USERNAME": "ann",
        "OS_PASSWORD": made["password"],
        "OS_PROJECT_NAME": "blog",
    }.items():
        monkeypatch.setenv(name, value)
    # With no --state it is Ann who asks, and her role lets her.
    assert run(["user", "list"]) == 0
    rows = {row.split()[0]: row.split()[1:] for row in capsys.readouterr().out.splitlines()}
    assert rows["ann"] == [made["id"], "yes", "blog:admin"]
    assert rows["demo"][2] == "demo:member"


def test_a_users_password_can_be_given(
    region: Running, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    options = ["--project", "demo", "--password-stdin", "--state", str(region.state)]
    assert run(["user", "add", "bob", *options]) == 0
    assert "correct horse" not in capsys.readouterr().out
    login = find_login(region.state, None)
    bob = Client(replace(login, username="bob", password="correct horse"))
    assert bob.project_id == login.project["id"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--project", "nowhere"], "There is no project nowhere; there are: "),
        (["--project", "demo", "--role", "king"], "There is no role king; there are: admin, "),
    ],
)
def test_a_user_of_nothing_is_not_made(
    region: Running, capsys: Capture, options: list[str], said: str
) -> None:
    state = ["--state", str(region.state)]
    assert run(["user", "add", "eve", *options, *state]) == 1
    assert capsys.readouterr().err.startswith(f"hanok: {said}")
    assert run(["user", "list", *state]) == 0
    assert "eve" not in capsys.readouterr().out


def test_flavors_and_images_are_listed(region: Running, capsys: Capture) -> None:
    state = ["--state", str(region.state), "--region", "KR1"]
    assert run(["flavor", "list", *state]) == 0
    title, *rows = capsys.readouterr().out.splitlines()
    assert title.split() == ["NAME", "ID", "VCPUS", "RAM", "MIB", "DISK", "GB"]
    families = {row.split(".")[0] for row in rows}
    assert families == {"m2", "c2", "r2", "t2", "x1", "u2"}
    assert run(["image", "list", *state]) == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert (row[0], row[2], row[3], row[5]) == ("hanok-tiny", "active", "raw", "public")


def test_a_flavor_that_is_added_is_everybodys(
    region: Running, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = ["--vcpus", "3", "--ram", "5120", "--disk", "20", "--state", str(region.state)]
    assert run(["flavor", "add", "--name", "u2.c3m5", *sizes]) == 0
    made = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    for name, value in read_openrc((region.state / "openrc").read_text()).items():
        monkeypatch.setenv(name, value)
    assert run(["flavor", "list"]) == 0
    rows = {row.split()[0]: row.split()[1:] for row in capsys.readouterr().out.splitlines()}
    assert rows["u2.c3m5"] == [made["id"], "3", "5120", "20"]
    assert run(["flavor", "add", "--name", "u2.c3m5", *sizes]) == 1
    assert "u2.c3m5 already exists" in capsys.readouterr().err


# -- uploads: against a server that answers as OpenStack's API reference says --------------------


class _Glance(BaseHTTPRequestHandler):
    """Identity and the image service in a few lines; notes what it is asked."""

    seen: list[tuple[str, str, bytes]]
    upload_status = 204

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/v3/auth/tokens":
            url = f"http://{self.headers['Host']}"
            endpoint = {"interface": "public", "region": "KR1", "url": url}
            catalog = [{"type": "image", "endpoints": [endpoint]}]
            token = {"catalog": catalog, "project": {"id": "a" * 32}}
            self._answer(201, {"token": token}, {"X-Subject-Token": "t"})
        else:
            self._answer(201, {"id": "i", **json.loads(body)})

    def do_PUT(self) -> None:
        self._body()
        self._answer(self.upload_status, {"message": {"message": "Too large."}})

    def do_DELETE(self) -> None:
        self._body()
        self._answer(204, None)

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.command, self.path, body))
        return body

    def _answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        content = b"" if body is None or status == 204 else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def glance(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Glance]]:
    handler = type("_Handler", (_Glance,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    for name, value in {
        "OS_AUTH_URL": f"http://127.0.0.1:{server.server_address[1]}/v3",
        "OS_USERNAME": "admin",
        "OS_PASSWORD": "x",
        "OS_PROJECT_ID": "a" * 32,
    }.items():
        monkeypatch.setenv(name, value)
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def add_image(file: Path) -> int:
    options = ["--name", "debian", "--format", "qcow2", "--property", "os_type=linux"]
    return run(["image", "add", str(file), *options, "--property", "login_username=debian"])


def test_an_image_is_registered_and_its_bytes_follow(
    glance: type[_Glance], tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "disk.qcow2"
    file.write_bytes(b"QFI\xfb" * 100_000)
    assert add_image(file) == 0
    _, posted, put = glance.seen
    assert json.loads(posted[2]) == {
        "name": "debian",
        "disk_format": "qcow2",
        "container_format": "bare",
        "visibility": "public",
        "os_type": "linux",
        "login_username": "debian",
    }
    assert put == ("PUT", "/v2/images/i/file", file.read_bytes())
    assert "bytes  400000" in capsys.readouterr().out


def test_an_image_whose_upload_fails_does_not_stay(
    glance: type[_Glance], tmp_path: Path, capsys: Capture
) -> None:
    glance.upload_status = 413
    file = tmp_path / "disk.qcow2"
    file.write_bytes(b"QFI\xfb")
    assert add_image(file) == 1
    assert capsys.readouterr().err == "hanok: Too large.\n"
    assert glance.seen[-1][:2] == ("DELETE", "/v2/images/i")


@pytest.mark.usefixtures("glance")
@pytest.mark.parametrize(
    ("file", "properties", "said"),
    [("none", [], "cannot be read"), ("", ["--property", "x"], "key=value, not 'x'")],
)
def test_what_cannot_be_an_image_is_said(
    tmp_path: Path, capsys: Capture, file: str, properties: list[str], said: str
) -> None:
    path = tmp_path / (file or "there")
    if not file:
        path.touch()
    assert run(["image", "add", str(path), "--name", "a", "--format", "raw", *properties]) == 1
    assert said in capsys.readouterr().err
