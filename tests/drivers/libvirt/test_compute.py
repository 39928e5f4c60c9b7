"""Domains on QEMU: what the suite of all drivers cannot ask."""

from __future__ import annotations

import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from hanok.drivers.base import Disk, DiskSpec, DomainPort, DomainSpec, Drivers
from hanok.drivers.libvirt.compute import _screen
from hanok.drivers.libvirt.host_tree import qemu_user
from hanok.drivers.libvirt.names import Names
from hanok.drivers.libvirt.network import LibvirtNetwork
from hanok.guest import tiny_image
from hanok.media.image_store import ImageStore
from hanok.media.qemu_img import create_overlay
from hanok.model.errors import HostError
from hanok.model.power import PowerState
from tests.boots import count_guest_boot
from tests.drivers.libvirt_host import (
    IMAGE_FORMAT,
    IMAGE_ID,
    deployment_of,
    images_of,
    remaining,
    tree_of,
)
from tests.drivers.scene import Scene, domain_of, network_of, new_id, wait_for

pytestmark = pytest.mark.guest


def qemu_of(root: Path, spec: DomainSpec) -> int:
    """The process of a running domain."""
    name = Names(deployment_of(root)).domain(spec.server_id).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"guest=" + name + b"," in words:
            return int(folder.name)
    raise AssertionError("no QEMU")


def words_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def owner(path: Path) -> str:
    return pwd.getpwuid(path.stat().st_uid).pw_name


def test_qemu_is_started_as_said(host: Drivers, scene: Scene, tmp_path: Path) -> None:
    spec = scene.define()
    host.compute.start(spec.server_id)
    pid = qemu_of(tmp_path, spec)
    words = words_of(pid)
    for part in ("q35", "-accel tcg,tb-size=64 ", "-cpu max", "virtio-rng", "config.iso"):
        assert part in words, part
    for part in ("usb-tablet", "ipxe", "qemu-xhci"):
        assert part not in words, part
    assert owner(Path("/proc", str(pid))) == qemu_user() != "root"


def test_fault_57_qemu_owns_its_disk_and_its_drive_but_no_image(
    host: Drivers, scene: Scene, tmp_path: Path
) -> None:
    disk = scene.disk(4, (IMAGE_ID, IMAGE_FORMAT))
    spec = scene.define(domain_of((disk,)))
    drive = tree_of(tmp_path) / "host" / "domains" / spec.server_id / "config.iso"
    image = images_of(tmp_path).path(IMAGE_ID)
    assert owner(drive) == "root"
    host.compute.start(spec.server_id)
    for path in (Path(disk.path), drive):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert owner(path) == qemu_user()
    assert owner(image) == "root"
    host.compute.power_off(spec.server_id)
    assert owner(image) == owner(Path(disk.path)) == "root"
    assert stat.S_IMODE(image.stat().st_mode) == 0o644


def test_fault_18_a_killed_qemu_is_a_crash_and_is_heard_of(
    host: Drivers, scene: Scene, tmp_path: Path
) -> None:
    heard: list[str] = []
    spec = scene.define()
    host.compute.start(spec.server_id)
    host.compute.watch(heard.append)
    assert wait_for(lambda: spec.server_id in heard)
    heard.clear()
    os.kill(qemu_of(tmp_path, spec), signal.SIGKILL)
    assert wait_for(lambda: spec.server_id in heard)
    assert host.compute.power_state(spec.server_id) == PowerState.CRASHED
    host.compute.start(spec.server_id)
    assert host.compute.power_state(spec.server_id) == PowerState.RUNNING


def test_a_domain_without_its_tap_does_not_start(host: Drivers, scene: Scene) -> None:
    network = network_of()
    port, tap = scene.plug(network)
    spec = scene.define(domain_of((), (DomainPort(port.port_id, port.mac, tap, port.mtu),)))
    host.network.unplug(port.port_id)
    with pytest.raises(HostError) as caught:
        host.compute.start(spec.server_id)
    assert caught.value.permanent
    assert tap not in caught.value.message
    scene.plug(network, port)
    host.compute.start(spec.server_id)


def test_a_disk_over_a_foreign_file_is_refused(host: Drivers, scene: Scene, tmp_path: Path) -> None:
    # What a QEMU that was broken out of could write into its disk's header.
    disk = scene.disk()
    Path(disk.path).unlink()
    create_overlay(Path(disk.path), Path("/etc/passwd"), "raw", 1 << 30)
    with pytest.raises(HostError) as caught:
        scene.define(domain_of((disk,)))
    assert caught.value.permanent
    assert host.compute.list_domains() == []


def test_a_changed_secret_is_a_changed_domain(host: Drivers, scene: Scene, tmp_path: Path) -> None:
    spec = scene.define()
    drive = tree_of(tmp_path) / "host" / "domains" / spec.server_id / "config.iso"
    before = drive.stat().st_ino
    host.compute.define(spec)
    assert drive.stat().st_ino == before
    changed = replace(spec, guest=replace(spec.guest, admin_pass="another"))
    host.compute.define(changed)
    assert drive.stat().st_ino != before
    host.compute.start(spec.server_id)
    host.compute.define(changed)
    with pytest.raises(HostError, match="while it runs"):
        host.compute.define(spec)


def test_a_lost_drive_is_written_again(host: Drivers, scene: Scene, tmp_path: Path) -> None:
    spec = scene.define()
    drive = tree_of(tmp_path) / "host" / "domains" / spec.server_id / "config.iso"
    content = drive.read_bytes()
    drive.write_bytes(content[:100])
    host.compute.define(spec)
    assert drive.read_bytes() == content


def test_a_domain_lets_go_of_disks_that_it_no_longer_has(host: Drivers, scene: Scene) -> None:
    first, second = scene.disk(), scene.disk()
    spec = scene.define(domain_of((first, second)))
    with pytest.raises(HostError, match="in use"):
        host.storage.delete_disk(second.disk_id)
    host.compute.define(replace(spec, disks=spec.disks[:1]))
    host.storage.delete_disk(second.disk_id)
    with pytest.raises(HostError, match="in use"):
        host.storage.delete_disk(first.disk_id)
    host.compute.delete(spec.server_id)
    host.storage.delete_disk(first.disk_id)


def test_a_domain_that_libvirt_refuses_is_undone(host: Drivers, tmp_path: Path) -> None:
    disk = host.storage.create_disk(DiskSpec(new_id(), 1))
    spec = domain_of((disk,), (DomainPort(new_id(), "no MAC", "hkt0"),))
    with pytest.raises(HostError) as caught:
        host.compute.define(spec)
    assert caught.value.permanent
    assert "no MAC" not in caught.value.message
    host.compute.delete(spec.server_id)
    host.storage.delete_disk(disk.disk_id)
    assert remaining(tmp_path) == []


@pytest.mark.parametrize("server_id", ["", "..", "server-1", "../../etc"])
def test_an_id_that_is_no_uuid_is_refused(host: Drivers, scene: Scene, server_id: str) -> None:
    spec = scene.define()
    for call in (host.compute.delete, host.compute.start, host.compute.power_off):
        with pytest.raises(HostError) as caught:
            call(server_id)
        assert caught.value.permanent
    with pytest.raises(HostError):
        host.compute.console_log(server_id, 10)
    host.compute.define(spec)


def test_a_guest_s_screen_greets_whoever_may_open_it(host: Drivers, scene: Scene) -> None:
    spec = scene.define()
    host.compute.start(spec.server_id)
    address = urlsplit(host.compute.screen_url(spec.server_id))
    assert address.scheme == "vnc+unix"
    path = Path(unquote(address.path))
    assert path.is_socket()
    assert owner(path.parent) == qemu_user()
    assert not stat.S_IMODE(path.parent.stat().st_mode) & stat.S_IRWXO, "others may not pass"
    with socket.socket(socket.AF_UNIX) as screen:
        screen.settimeout(5)
        screen.connect(str(path))
        greeting = screen.recv(12)
    assert re.fullmatch(rb"RFB 003\.00\d\n", greeting)


def test_the_address_of_a_screen_on_a_port() -> None:
    xml = """<domain><devices><graphics type="vnc" port="5901" autoport="yes">
        <listen type="address" address="127.0.0.1"/></graphics></devices></domain>"""
    assert _screen(xml) == "vnc://127.0.0.1:5901"
    for without in ("<domain/>", '<domain><devices><graphics type="vnc"/></devices></domain>'):
        with pytest.raises(HostError, match="no screen"):
            _screen(without)


def test_a_domain_comes_up_in_a_second(host: Drivers, scene: Scene) -> None:
    """Everything but the guest's own boot; the target is a second on an idle machine."""
    times = []
    for _ in range(3):
        before = time.monotonic()
        disk = scene.disk(10, (IMAGE_ID, IMAGE_FORMAT))
        port, tap = scene.plug(network_of())
        spec = scene.define(domain_of((disk,), (DomainPort(port.port_id, port.mac, tap),)))
        host.compute.start(spec.server_id)
        times.append(time.monotonic() - before)
    assert min(times) < 3


def tiny_server(scene: Scene, images: ImageStore, port: DomainPort) -> DomainSpec:
    image = tiny_image.cached()
    assert image is not None
    images.add("tiny", image, "raw")
    disk: Disk = scene.disk(2, ("tiny", "raw"))
    return replace(domain_of((disk,), (port,)), ram_mib=256)


@pytest.mark.slow
def test_a_real_guest_boots_gets_its_address_and_shuts_down(
    host: Drivers, scene: Scene, tmp_path: Path
) -> None:
    network = network_of()
    port, tap = scene.plug(network)
    domain_port = DomainPort(port.port_id, port.mac, tap, port.mtu)
    spec = scene.define(tiny_server(scene, images_of(tmp_path), domain_port))
    count_guest_boot("the tiny image, through the libvirt driver")
    host.compute.start(spec.server_id)
    compute = host.compute
    assert wait_for(lambda: b"login:" in compute.console_log(spec.server_id, 1 << 16), 80)
    assert b"Linux version" in compute.console_log(spec.server_id, 1 << 20)
    assert isinstance(host.network, LibvirtNetwork)
    namespace = host.network.namespace(network.network_id)
    dial = (
        "import socket, sys\n"
        "with socket.create_connection((sys.argv[1], 22), timeout=5) as to_guest:\n"
        "    print(to_guest.recv(4).decode())\n"
    )
    command = [
        *("nsenter", f"--net=/run/netns/{namespace}"),
        *(sys.executable, "-c", dial, port.addresses[0][1]),
    ]

    def greets() -> bool:
        """The SSH server starts after the login prompt is there."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        return done.stdout.strip() == "SSH-"

    assert wait_for(greets, 40)
    # A guest whose agent is not up yet loses the first request: it has nobody for ACPI's.
    for _ in range(8):
        before = time.monotonic()
        compute.shut_down(spec.server_id)
        assert time.monotonic() - before < 5
        if wait_for(lambda: compute.power_state(spec.server_id) == PowerState.SHUTDOWN, 8):
            break
    assert compute.power_state(spec.server_id) == PowerState.SHUTDOWN
