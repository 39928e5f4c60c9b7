"""`hanok openrc --reset` beside a running region."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanok.cli.client import Client, ClientError, find_login
from hanok.cli.commands import run
from tests.cli.conftest import Running, start, stop


@pytest.fixture
def own_region(tmp_path: Path) -> Running:
    """A region whose passwords may change under its feet."""
    return start(tmp_path / "state")


def test_new_passwords_work_at_once(
    own_region: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        before = find_login(own_region.state, None)
        logged_in = Client(before)
        (own_region.state / "credentials.json").unlink()
        assert run(["openrc", "--reset", "--state", str(own_region.state)]) == 0
        assert capsys.readouterr().out.endswith(f"{own_region.state}/openrc\n")
        after = find_login(own_region.state, None)
        assert after.auth_url == own_region.url
        assert after.password != before.password
        assert Client(after).identity("GET", "/projects")["projects"]
        with pytest.raises(ClientError, match="openrc --reset"):
            Client(before)
        with pytest.raises(ClientError) as refused:
            logged_in.identity("GET", "/projects")
        assert refused.value.status == 401
    finally:
        stop(own_region)


def test_a_directory_without_a_region_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["openrc", "--reset", "--state", str(tmp_path)]) == 1
    assert "holds no region yet" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
