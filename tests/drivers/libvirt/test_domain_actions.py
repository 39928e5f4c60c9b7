"""Actions on domains that are there; the guests are firmware without a system."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import libvirt
import pytest

from hanok.drivers.base import Disk, DomainDisk, DomainSpec, Drivers
from hanok.drivers.libvirt.names import Names
from hanok.model.devices import MOST, name
from hanok.model.errors import HostError
from hanok.model.power import PowerState
from tests.drivers.libvirt_host import deployment_of
from tests.drivers.scene import Scene, domain_of, new_id

pytestmark = pytest.mark.guest


def devices(root: Path, spec: DomainSpec, *, live: bool) -> dict[str, str]:
    """The disks of a domain as libvirt has them: file to device."""
    connection = libvirt.openReadOnly("qemu:///system")
    domain = connection.lookupByName(Names(deployment_of(root)).domain(spec.server_id))
    text = domain.XMLDesc(0 if live else libvirt.VIR_DOMAIN_XML_INACTIVE)
    connection.close()
    found = {}
    for disk in ET.fromstring(text).iterfind("devices/disk"):  # noqa: S314  # libvirt's own
        source, target = disk.find("source"), disk.find("target")
        assert source is not None
        assert target is not None
        found[source.get("file", "")] = target.get("dev", "")
    return found


def test_a_guest_is_held_still_and_goes_on(host: Drivers, scene: Scene) -> None:
    spec, compute = scene.define(), host.compute
    compute.start(spec.server_id)
    for call, state in (
        (compute.pause, PowerState.PAUSED),
        (compute.unpause, PowerState.RUNNING),
    ):
        call(spec.server_id)
        call(spec.server_id)
        assert compute.power_state(spec.server_id) == state


def test_a_guest_is_saved_and_comes_back(host: Drivers, scene: Scene) -> None:
    spec, compute = scene.define(), host.compute
    compute.start(spec.server_id)
    compute.suspend(spec.server_id)
    compute.suspend(spec.server_id)
    assert compute.power_state(spec.server_id) == PowerState.SUSPENDED
    compute.start(spec.server_id)
    assert compute.power_state(spec.server_id) == PowerState.RUNNING
    compute.suspend(spec.server_id)
    compute.power_off(spec.server_id)
    assert compute.power_state(spec.server_id) == PowerState.SHUTDOWN


def test_what_is_off_or_absent_cannot_be_held(host: Drivers, scene: Scene) -> None:
    for server_id in (scene.define().server_id, new_id()):
        for call in (host.compute.pause, host.compute.unpause, host.compute.suspend):
            with pytest.raises(HostError) as caught:
                call(server_id)
            assert caught.value.permanent


def test_a_domain_that_is_off_gets_another_size(host: Drivers, scene: Scene) -> None:
    spec, compute = scene.define(), host.compute
    compute.resize(spec.server_id, 2, 96)
    compute.resize(spec.server_id, 2, 96)
    compute.start(spec.server_id)
    compute.resize(spec.server_id, 2, 96)
    with pytest.raises(HostError) as caught:
        compute.resize(spec.server_id, 1, 96)
    assert caught.value.permanent


def added(disk: Disk, device: str) -> DomainDisk:
    return DomainDisk(disk, device, disk.disk_id[:20])


def test_disks_are_plugged_into_a_guest_that_runs(
    host: Drivers, scene: Scene, tmp_path: Path
) -> None:
    spec, compute = scene.define(), host.compute
    compute.start(spec.server_id)
    disks = [scene.disk() for _ in range(10)]
    for disk, letter in zip(disks, "bcdefghijk", strict=True):
        wanted = added(disk, f"vd{letter}")
        compute.attach_disk(spec.server_id, wanted)
        compute.attach_disk(spec.server_id, wanted)
    for live in (True, False):
        found = devices(tmp_path, spec, live=live)
        assert [found[disk.path] for disk in disks] == [f"vd{letter}" for letter in "bcdefghijk"]
    compute.power_off(spec.server_id)
    compute.detach_disk(spec.server_id, disks[0].disk_id)
    compute.detach_disk(spec.server_id, disks[0].disk_id)
    assert disks[0].path not in devices(tmp_path, spec, live=False)
    host.storage.delete_disk(disks[0].disk_id)


def test_a_full_guest_takes_a_disk_when_it_is_off(
    host: Drivers, scene: Scene, tmp_path: Path
) -> None:
    spec, compute = scene.define(), host.compute
    compute.start(spec.server_id)
    wanted: list[DomainDisk] = []

    def attach_until_refused() -> None:
        for number in range(1, 2 * MOST):
            wanted.append(added(scene.disk(), name(number)))
            compute.attach_disk(spec.server_id, wanted[-1])

    with pytest.raises(HostError, match="stop the server first") as caught:
        attach_until_refused()
    assert caught.value.permanent
    assert len(wanted) > 12
    compute.power_off(spec.server_id)
    compute.attach_disk(spec.server_id, wanted[-1])
    assert len(devices(tmp_path, spec, live=False)) == 1 + 1 + len(wanted)
    compute.start(spec.server_id)


def test_fault_41_a_disk_of_another_domain_is_refused(host: Drivers, scene: Scene) -> None:
    spec = scene.define()
    disk = scene.disk()
    other = scene.define(domain_of((disk,)))
    with pytest.raises(HostError) as caught:
        host.compute.attach_disk(spec.server_id, added(disk, "vdb"))
    assert caught.value.permanent
    host.compute.detach_disk(spec.server_id, disk.disk_id)
    with pytest.raises(HostError, match="in use"):
        host.storage.delete_disk(disk.disk_id)
    host.compute.delete(other.server_id)
    host.compute.attach_disk(spec.server_id, added(disk, "vdb"))


def test_a_guest_without_an_agent_keeps_its_password(host: Drivers, scene: Scene) -> None:
    spec = scene.define()
    host.compute.start(spec.server_id)
    with pytest.raises(HostError) as caught:
        host.compute.set_password(spec.server_id, "root", "secret-word")
    assert not caught.value.permanent
    assert "secret-word" not in str(caught.value)
