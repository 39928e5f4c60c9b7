from __future__ import annotations

import grp
import os
import stat
from pathlib import Path

import pytest

from hanok.drivers.libvirt.kvm_device import share_device


@pytest.mark.skipif(os.geteuid() != 0, reason="changing owners needs root")
def test_the_group_gets_the_device_where_no_udev_runs(tmp_path: Path) -> None:
    device = tmp_path / "kvm"
    device.touch(mode=0o600)
    group = grp.getgrnam("daemon")
    assert share_device(device, udev=tmp_path / "no-udev", group="daemon")
    assert device.stat().st_gid == group.gr_gid
    assert stat.S_IMODE(device.stat().st_mode) == 0o660
    assert not share_device(device, udev=tmp_path / "no-udev", group="daemon")


def test_where_udev_runs_the_device_is_its_own(tmp_path: Path) -> None:
    device, udev = tmp_path / "kvm", tmp_path / "control"
    device.touch(mode=0o600)
    udev.touch()
    assert not share_device(device, udev=udev, group="daemon")
    assert stat.S_IMODE(device.stat().st_mode) == 0o600


def test_without_a_device_or_a_group_nothing_happens(tmp_path: Path) -> None:
    assert not share_device(tmp_path / "none", udev=tmp_path / "x")
    device = tmp_path / "kvm"
    device.touch()
    assert not share_device(device, udev=tmp_path / "x", group="no-such-group")
