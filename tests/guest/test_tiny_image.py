from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hanok.guest import image_cache, tiny_image
from hanok.guest.config_drive import GuestConfig
from tests.guest import plain_guest

USER_DATA = b"#!/bin/sh\necho ran >> /root/ran\n"
ROOT_GIB = "df -k / | awk 'NR == 2 { print int($2 / 1048576 + 0.5) }'"


@pytest.mark.guest
@pytest.mark.slow
def test_guest_takes_what_it_is_told_and_keeps_it(tmp_path: Path, tiny: Path) -> None:
    key = plain_guest.make_key(tmp_path)
    disk = plain_guest.make_disk(tiny, tmp_path)
    plain_guest.resize_disk(disk, 10)
    config = GuestConfig(
        server_id="11111111-2222-4333-8444-555555555555",
        name="Web_1 서버",
        project_id="p",
        public_keys={"mine": key},
        user_data=USER_DATA,
        random_seed=bytes(512),
    )
    with plain_guest.boot(tmp_path, disk, config, tiny_image.LOGIN) as guest:
        guest.await_ssh()
        assert guest.ssh("hostname") == "web-1"
        guest.await_answer("cat /root/ran 2> /dev/null || true", "ran")
        guest.await_answer(ROOT_GIB, "10")
        host_key = guest.ssh("sha256sum /etc/dropbear/dropbear_ed25519_host_key")
        assert guest.ssh("cut -d: -f2 /etc/shadow | head -n 1") == "*"
        assert "Linux version" in guest.console()
        assert "web-1 login:" in guest.console()
        guest.ssh("echo kept > /root/kept && sync")
    # The power was cut; the disk has grown meanwhile; the name has changed, the server has not.
    plain_guest.resize_disk(disk, 1000)
    renamed = replace(config, name="db")
    with plain_guest.boot(tmp_path, disk, renamed, tiny_image.LOGIN) as guest:
        guest.await_ssh()
        assert guest.ssh("hostname; cat /root/kept") == "db\nkept"
        guest.await_answer(ROOT_GIB, "996", timeout=60)
        assert guest.ssh("cat /root/ran") == "ran"
        assert guest.ssh("sha256sum /etc/dropbear/dropbear_ed25519_host_key") == host_key
        assert disk.stat().st_blocks * 512 < 500 << 20
        guest.press_power_button()
        assert guest.process.wait(30) == 0
        assert "Power down" in guest.console()


def test_cached_finds_any_build_of_this_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_cache, "folder", lambda: tmp_path)
    assert tiny_image.cached() is None
    path = tiny_image.cache_path()
    assert path.parent == tmp_path
    (tmp_path / "tiny-bookworm-00000000-00000000.raw").touch()
    assert tiny_image.cached() is None
    path.touch()
    assert tiny_image.cached() == path


def test_command_does_nothing_where_the_image_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "there.raw"
    target.write_bytes(b"kept")
    assert tiny_image.main(["--output", str(target), "--if-missing"]) == 0
    assert target.read_bytes() == b"kept"
    assert "There already" in capsys.readouterr().err
