from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hanok.drivers.base import DiskSpec
from hanok.drivers.libvirt import open_host
from hanok.drivers.libvirt.host import open_drivers
from hanok.media.image_store import ImageStore
from hanok.model.errors import HostError
from tests.drivers.libvirt_host import leftovers, open_libvirt, tree_of
from tests.drivers.scene import domain_of, new_id


@pytest.mark.guest
def test_a_tree_of_another_deployment_is_refused(tmp_path: Path) -> None:
    open_libvirt(tmp_path).compute.close()
    host = tree_of(tmp_path) / "host"
    with pytest.raises(HostError) as caught:
        open_drivers("another", host, ImageStore(tmp_path / "images"), "tcg", "qemu:///system")
    assert caught.value.permanent
    assert leftovers(tmp_path) == []


@pytest.mark.guest
def test_the_parts_share_the_tree(tmp_path: Path) -> None:
    drivers = open_libvirt(tmp_path)
    try:
        disk = drivers.storage.create_disk(DiskSpec(new_id(), 1))
        spec = domain_of((disk,))
        drivers.compute.define(spec)
        with pytest.raises(HostError, match="in use"):
            drivers.storage.delete_disk(disk.disk_id)
        drivers.compute.delete(spec.server_id)
        drivers.storage.delete_disk(disk.disk_id)
    finally:
        drivers.compute.close()
    assert leftovers(tmp_path) == []


def test_without_the_binding_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "libvirt", None)
    for name in [name for name in sys.modules if name.startswith("hanok.drivers.libvirt.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(HostError, match="apt install python3-libvirt") as caught:
        open_host("deployment-1", tmp_path / "host", ImageStore(tmp_path / "images"), "tcg")
    assert caught.value.permanent
    assert not (tmp_path / "host").exists()
