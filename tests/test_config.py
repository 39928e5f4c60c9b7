"""Where settings come from, which one counts, and what is refused, in a sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hanok.config import Config, ConfigError, default_state, load


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HANOK_")]:
        monkeypatch.delenv(name)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "hanok.toml"
    file.write_text(text)
    return file


def test_nothing_needs_to_be_set() -> None:
    made = load({})
    assert made == Config()
    assert (made.driver, made.listen, made.port) == ("auto", "127.0.0.1", 8774)
    assert (made.regions, made.database, made.scheme) == (("KR1",), None, "http")


def test_an_option_counts_more_than_the_environment_and_that_more_than_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, 'port = 1\nlisten = "::1"\ntoken_seconds = 60\n')
    monkeypatch.setenv("HANOK_PORT", "2")
    monkeypatch.setenv("HANOK_LISTEN", "0.0.0.0")  # noqa: S104 - nobody listens
    made = load({"port": 3, "listen": None}, file)
    assert (made.port, made.listen, made.token_seconds) == (3, "0.0.0.0", 60)  # noqa: S104


def test_a_file_sets_everything(tmp_path: Path) -> None:
    text = """
    driver = "simulated"
    state = "/srv/hanok"
    regions = ["KR1", "KR2"]
    database = "postgresql://x"
    tls_cert = "~/cert.pem"
    tls_key = "key.pem"
    confirm_resize_after = 1
    [simulated]
    vcpus = 4
    """
    made = load({}, written(tmp_path, text))
    assert (made.driver, made.state, made.regions) == (
        "simulated",
        Path("/srv/hanok"),
        ("KR1", "KR2"),
    )
    assert made.tls_cert == Path.home() / "cert.pem"
    assert made.tls_key == Path.cwd() / "key.pem"
    assert (made.scheme, made.confirm_resize_after) == ("https", 1.0)
    assert made.simulated == {"vcpus": 4}


def test_the_environment_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "REGIONS": "KR1, KR2",
        "STATE": "state",
        "IMAGE_LIMIT_GIB": "5",
        "CONFIRM_RESIZE_AFTER": "0.5",
        "SIMULATED": "not a table, and passed over",
        "OTHER": "of no meaning",
    }.items():
        monkeypatch.setenv(f"HANOK_{name}", value)
    made = load({})
    assert made.regions == ("KR1", "KR2")
    assert made.state == Path.cwd() / "state"
    assert (made.image_limit_gib, made.confirm_resize_after, made.simulated) == (5, 0.5, {})


@pytest.mark.parametrize("regions", ["KR1,KR2", ["KR1", "KR2"], ("KR1", "KR2")])
def test_regions_are_names_however_they_are_written(regions: Any) -> None:
    assert load({"regions": regions}).regions == ("KR1", "KR2")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"driver": "xen"}, "driver is one of auto, libvirt, simulated, not 'xen'."),
        ({"port": 65536}, "port is between 0 and 65535"),
        ({"port": -1}, "port"),
        ({"port": "http"}, "port cannot be 'http'"),
        ({"regions": []}, "at least one region"),
        ({"regions": ["KR1", "kr1"]}, "name of its own"),
        ({"regions": ["KR 1"]}, "1 to 16 letters and digits, not 'KR 1'"),
        ({"regions": ["가나"]}, "letters and digits"),
        ({"regions": ["x" * 17]}, "1 to 16"),
        ({"regions": 5}, "regions cannot be '5'"),
        ({"tls_cert": "cert.pem"}, "both a certificate and its key"),
        ({"tls_key": "key.pem"}, "both a certificate and its key"),
        ({"token_seconds": 0}, "token_seconds is at least 1, not 0."),
        ({"keep_deleted_days": -1}, "keep_deleted_days is at least 0"),
        ({"image_limit_gib": 0}, "image_limit_gib is at least 1"),
        ({"confirm_resize_after": "nan"}, "confirm_resize_after is at least 0"),
        ({"confirm_resize_after": "inf"}, "confirm_resize_after is at least 0"),
        ({"port": float("inf")}, "port cannot be 'inf'"),
        ({"state": 5}, "state cannot be '5'"),
        ({"listen": 5}, "listen cannot be '5'"),
        ({"database": ["x"]}, "database cannot be"),
        ({"simulated": "x"}, "simulated cannot be 'x'"),
    ],
)
def test_what_cannot_work_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(options)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1\nlisen = 2", "settings that do not exist: lisen, prot."),
        ("port = ", "cannot be read"),
        ("[simulated", "cannot be read"),
    ],
)
def test_a_file_with_a_mistake_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load({}, file)
    assert str(refused.value).startswith(str(file))
    assert words in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml cannot be read"):
        load({}, tmp_path / "nothing.toml")


def test_state_lies_where_qemu_s_user_can_come_and_users_keep_theirs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_state() == Path("/var/lib/hanok")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_state() == tmp_path / "hanok"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert default_state() == Path.home() / ".local/state/hanok"
