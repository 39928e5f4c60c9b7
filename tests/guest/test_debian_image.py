from __future__ import annotations

from pathlib import Path

import pytest

from hanok.guest import debian_image, image_cache
from hanok.guest.config_drive import GuestConfig, GuestNic
from tests.guest import plain_guest


@pytest.mark.slow
@pytest.mark.guest
@pytest.mark.timeout(900)
def test_debian_takes_what_it_is_told(tmp_path: Path) -> None:
    image = debian_image.cache_path()
    if not image.exists():
        debian_image.build(image, progress=image_cache.say)
    key = plain_guest.make_key(tmp_path)
    disk = plain_guest.make_disk(image, tmp_path)
    plain_guest.resize_disk(disk, 10)
    config = GuestConfig(
        server_id="11111111-2222-4333-8444-666666666666",
        name="Debian_1",
        project_id="p",
        public_keys={"mine": key},
        user_data=b"#!/bin/sh\necho ran >> /root/ran\n",
        networks=(GuestNic("52:54:00:00:00:01", "port", "net", "tap0", dns=("10.0.2.3",)),),
    )
    with plain_guest.boot(tmp_path, disk, config, debian_image.LOGIN) as guest:
        guest.await_ssh(timeout=300)
        guest.await_answer("test -e /run/nologin || echo open", "open", timeout=60)
        assert guest.ssh("cloud-init status --wait | tail -n 1") == "status: done"
        assert guest.ssh("hostname; cloud-id") == "debian-1\nconfigdrive"
        assert guest.ssh("sudo cat /root/ran") == "ran"
        size = guest.ssh("df --output=size -BG / | tail -n 1")
        assert size.strip() == "10G"
        assert guest.ssh("cat /sys/class/net/en*/mtu") == "1450"
        assert "Linux version" in guest.console()
        assert "debian-1 login:" in guest.console()


def test_only_root_builds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(image_cache.BuildFailed, match="root"):
        debian_image.build(tmp_path / "a.raw", progress=image_cache.say)


def test_the_image_lies_under_its_release_and_recipe() -> None:
    path = debian_image.cache_path()
    assert path.parent == image_cache.folder()
    assert path.name.startswith("debian-")
    assert path.suffix == ".raw"
