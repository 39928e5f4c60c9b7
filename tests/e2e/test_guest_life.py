"""A real server's life, seen from inside its guest and on the machine that runs it."""

from __future__ import annotations

import base64
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hanok.media.inspect import backing_file
from tests.boots import count_guest_boot
from tests.e2e.cloud import Cloud, poll
from tests.e2e.inventory import Need, check_real, check_rows, need, rows
from tests.e2e.region import Region, region
from tests.e2e.shell import Shell

pytestmark = pytest.mark.guest

USER_DATA = b"#!/bin/sh\nhostname > /root/made\necho run >> /root/runs\n"
OUT_OF_BAND_SECONDS = 5.0
SHELVE_SECONDS = 90.0
ERASED_SECONDS = 15.0
BY_SERIAL = "cd /sys/block; for disk in vd*; do echo $disk $(cat $disk/size $disk/serial); done"
GROWN_KIB = 9 * 1024 * 1024
"""A root file system on 10 GB has at least so much."""


@dataclass(slots=True)
class Life:
    """One region and its servers: `one` on a volume, `two` on a local disk."""

    region: Region
    cloud: Cloud
    one: str
    two: str
    shell_one: Shell
    shell_two: Shell


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Both guests boot at once; tests that need a login wait for it."""
    folder = tmp_path_factory.mktemp("keys")
    with region("libvirt") as running:
        cloud = running.cloud()
        made, own = _made_key(cloud, folder), _own_key(cloud, folder)
        one = cloud.create(
            "guest one",
            "m2.c1m2",
            key_name="made",
            user_data=base64.b64encode(USER_DATA).decode(),
            metadata={"role": "test"},
        )
        two = cloud.create("guest-two", "u2.c1m1", key_name="own")
        for server_id in (one, two):
            count_guest_boot(f"a server's life: {server_id}")
            cloud.wait_status(server_id, "ACTIVE")
        namespace = running.deployment().namespace()
        shells = (
            Shell(namespace, _address(cloud, one), made),
            Shell(namespace, _address(cloud, two), own),
        )
        yield Life(running, cloud, one, two, *shells)


def _made_key(cloud: Cloud, folder: Path) -> Path:
    """Have a key pair made; keep the private key that is answered."""
    body = {"keypair": {"name": "made"}}
    pair = cloud.call("POST", "compute", "/os-keypairs", body)["keypair"]
    return _private(folder / "made", pair["private_key"].encode())


def _own_key(cloud: Cloud, folder: Path) -> Path:
    """Register the public half of an ed25519 key of our own."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    body = {"keypair": {"name": "own", "public_key": f"{public.decode()} me@here"}}
    pair = cloud.call("POST", "compute", "/os-keypairs", body)["keypair"]
    assert "private_key" not in pair
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    return _private(folder / "own", private)


def _private(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def _address(cloud: Cloud, server_id: str) -> str:
    ((address,),) = cloud.server(server_id)["addresses"].values()
    return str(address["addr"])


def _console(cloud: Cloud, server_id: str) -> str:
    body: dict[str, object] = {"os-getConsoleOutput": {}}
    answer = cloud.call("POST", "compute", f"/servers/{server_id}/action", body)
    return str(answer["output"])


def _guests(running: Region) -> list[str]:
    """The region's QEMU processes, as `name[pid]`."""
    found = running.deployment().look(besides=running.pid).processes
    return sorted(process for process in found if process.startswith("qemu"))


def test_the_generated_key_logs_in_and_the_guest_is_what_was_asked_for(life: Life) -> None:
    shell = life.shell_one
    assert shell.await_("hostname") == "guest-one"
    assert shell.say("cat /proc/cpuinfo | grep -c ^processor") == "1"
    memory = int(shell.say("awk '/^MemTotal/ { print $2 }' /proc/meminfo"))
    assert 1.9 * 1024 * 1024 < memory < 2 * 1024 * 1024
    addresses = shell.say("ip -4 addr show")
    assert f"inet {shell.address}/24" in addresses
    disks = [line.split() for line in shell.say("lsblk -dnb -o NAME,SIZE,TYPE").splitlines()]
    assert [row for row in disks if row[2] == "disk"] == [["vda", str(10 << 30), "disk"]]
    grown = f"test $(df -k / | awk 'END {{ print $2 }}') -ge {GROWN_KIB}"
    shell.await_(grown)


def test_the_console_log_shows_the_kernel_and_the_prompt(life: Life) -> None:
    life.shell_one.await_("true")
    poll(lambda: "login:" in _console(life.cloud, life.one), "there is no prompt", 10)
    assert "Linux version" in _console(life.cloud, life.one)


def test_user_data_ran_once_also_after_a_reboot(life: Life) -> None:
    shell = life.shell_one
    shell.await_("test -s /root/runs")
    assert shell.say("cat /root/made /root/runs") == "guest-one\nrun"
    boot = shell.say("cat /proc/sys/kernel/random/boot_id")
    shell.run("reboot")
    count_guest_boot("a reboot from inside")
    shell.await_(f"grep -qv {boot} /proc/sys/kernel/random/boot_id")
    # The prompt comes last: whatever runs at boot has run then.
    prompts = "login:"
    poll(lambda: _console(life.cloud, life.one).count(prompts) >= 2, "no second prompt", 20)
    assert shell.say("cat /root/runs") == "run"
    assert shell.say("hostname") == "guest-one"
    assert life.cloud.server(life.one)["status"] == "ACTIVE"


def test_a_registered_ed25519_key_logs_in_to_a_guest_on_a_local_disk(life: Life) -> None:
    shell = life.shell_two
    assert shell.await_("hostname") == "guest-two"
    assert "20G" in shell.say("lsblk -dn -o NAME,SIZE /dev/vda")
    assert life.cloud.server(life.two)["os-extended-volumes:volumes_attached"] == []
    assert shell.run("test -e /root/runs").returncode == 1
    other = Shell(shell.namespace, shell.address, life.shell_one.key)
    assert "Permission denied" in other.run("true").stderr


def _volumes(cloud: Cloud, zone: str, count: int) -> list[str]:
    """So many blank volumes, made at once, each a GB larger than the one before it."""
    made = []
    for size in range(1, count + 1):
        body = {"volume": {"name": f"data {size}", "size": size, "availability_zone": zone}}
        answer = cloud.call("POST", "volumev2", "/volumes", body, status=202)
        made.append(str(answer["volume"]["id"]))
    cloud.settle()
    return made


def test_ten_volumes_attached_at_once_are_ten_disks_in_the_guest(life: Life) -> None:
    shell = life.shell_two
    shell.await_("true")
    before = shell.say("ls /sys/block | grep vd")
    path = f"/servers/{life.two}/os-volume_attachments"
    zone = life.cloud.server(life.two)["OS-EXT-AZ:availability_zone"]
    made = _volumes(life.cloud, zone, 10)

    def attach(volume_id: str) -> str:
        body = {"volumeAttachment": {"volumeId": volume_id}}
        answer = life.cloud.call("POST", "compute", path, body)["volumeAttachment"]
        return str(answer["device"]).removeprefix("/dev/")

    def detach(volume_id: str) -> None:
        life.cloud.call("DELETE", "compute", f"{path}/{volume_id}", status=202)

    with ThreadPoolExecutor(len(made)) as pool:
        devices = list(pool.map(attach, made))
        life.cloud.settle()
        seen = [line.split() for line in shell.say(BY_SERIAL).splitlines()]
        # Of disks that come at the same moment, the guest's kernel names first whichever it likes.
        assert {name for name, *_ in seen} == {*before.split(), *devices}
        assert len(seen) == len(before.split()) + 10
        sizes = {serial: int(sectors) >> 21 for _, sectors, *serials in seen for serial in serials}
        assert [sizes[volume_id[:20]] for volume_id in made] == list(range(1, 11))
        list(pool.map(detach, made))
    life.cloud.settle()
    assert shell.say("ls /sys/block | grep vd") == before
    for volume_id in made:
        life.cloud.call("DELETE", "volumev2", f"/volumes/{volume_id}", status=202)
    life.cloud.settle()


def test_fault_70_guests_run_on_while_hanok_is_stopped(life: Life) -> None:
    life.shell_one.await_("true")
    before = _guests(life.region)
    assert len(before) == 2
    code, seconds = life.region.terminate()
    assert code == 0
    assert seconds < 5
    assert _guests(life.region) == before
    assert life.shell_one.say("hostname") == "guest-one"
    life.region.start()
    life.cloud = life.region.cloud()
    wanted = need(life.cloud)
    assert wanted.servers == {life.one, life.two}
    assert {server["status"] for server in life.cloud.servers()} == {"ACTIVE"}
    check_real(life.region, wanted)
    check_rows(life.region, wanted)
    assert _guests(life.region) == before
    assert "Linux version" in _console(life.cloud, life.one)


def _act(cloud: Cloud, server_id: str, action: str) -> None:
    cloud.call("POST", "compute", f"/servers/{server_id}/action", {action: None}, status=202)


def _disks(running: Region) -> set[str]:
    """The ids of the disks that lie on the host."""
    return {path.stem for path in (running.folder() / "host" / "disks").glob("*.qcow2")}


def _shelve(life: Life, server_id: str, shell: Shell) -> None:
    """Shelve a server whose guest has just written a file, and see that its host has let it go."""
    # What is written last is on the disk only if the guest was shut down as its own would.
    shell.await_("echo kept > /root/kept")
    _act(life.cloud, server_id, "shelve")
    shown = life.cloud.wait_status(server_id, "SHELVED_OFFLOADED", SHELVE_SECONDS)
    assert shown["hostId"] == ""
    seen = life.region.deployment().look(besides=life.region.pid)
    assert not [name for name in seen.domains if name.endswith(server_id)]
    assert len(_guests(life.region)) == len(seen.domains) == 1
    assert (server_id,) not in rows(life.region, "SELECT server_id FROM claims")
    held = "SELECT used_vcpus, used_ram_mib, used_disk_gib FROM hosts"
    left = "SELECT sum(vcpus), sum(ram_mib), sum(disk_gib) FROM claims"
    assert rows(life.region, held) == rows(life.region, left)
    (port,) = [one for one in life.cloud.ports() if one["device_id"] == server_id]
    assert port["status"] == "DOWN"
    assert port["fixed_ips"][0]["ip_address"] == shell.address


def _unshelve(life: Life, server_id: str, shell: Shell) -> None:
    """Unshelve it, and find the file in its guest, at the same address."""
    _act(life.cloud, server_id, "unshelve")
    count_guest_boot(f"unshelved: {server_id}")
    life.cloud.wait_status(server_id, "ACTIVE", SHELVE_SECONDS)
    assert shell.await_("cat /root/kept") == "kept"
    wanted = need(life.cloud)
    check_real(life.region, wanted)
    check_rows(life.region, wanted)


@pytest.mark.slow
def test_a_shelved_server_leaves_its_host_and_comes_back_with_its_volume(life: Life) -> None:
    (volume,) = life.cloud.server(life.one)["os-extended-volumes:volumes_attached"]
    _shelve(life, life.one, life.shell_one)
    assert volume["id"] in _disks(life.region)
    shown = life.cloud.get("volumev2", f"/volumes/{volume['id']}")["volume"]
    assert shown["status"] == "reserved"
    _unshelve(life, life.one, life.shell_one)
    assert life.shell_one.say("cat /root/runs") == "run"


@pytest.mark.slow
def test_a_shelved_server_s_local_disk_is_an_image_until_it_comes_back(life: Life) -> None:
    images = life.region.folder() / "images"
    before, stored = _disks(life.region), {path.name for path in images.iterdir()}
    _shelve(life, life.two, life.shell_two)
    (own,) = before - _disks(life.region)
    image_id = life.cloud.image_id("guest-two-shelved")
    assert {path.name for path in images.iterdir()} == {*stored, image_id}
    _unshelve(life, life.two, life.shell_two)
    assert _disks(life.region) == before
    disk = life.region.folder() / "host" / "disks" / f"{own}.qcow2"
    assert backing_file(disk) is None, "nothing of it is in an image any more"
    assert life.cloud.get("image", "/v2/images?name=guest-two-shelved")["images"] == []
    gone = "the image's bytes are still there"
    poll(lambda: {path.name for path in images.iterdir()} == stored, gone, ERASED_SECONDS)
    assert life.shell_two.say("cat /root/kept") == "kept"


def test_fault_18_a_domain_destroyed_out_of_band_is_shutoff(life: Life) -> None:
    (name,) = [one for one in life.region.deployment().look().domains if one.endswith(life.one)]
    began = time.monotonic()
    subprocess.run(
        ["virsh", "-c", "qemu:///system", "destroy", name],
        check=True,
        capture_output=True,
        timeout=30,
    )
    shown = life.cloud.wait_status(life.one, "SHUTOFF", OUT_OF_BAND_SECONDS)
    assert time.monotonic() - began < OUT_OF_BAND_SECONDS
    assert shown["OS-EXT-STS:power_state"] == 4
    assert life.cloud.server(life.two)["status"] == "ACTIVE"
    events = rows(life.region, "SELECT server_id, name FROM server_events ORDER BY id DESC LIMIT 1")
    assert [event[0] for event in events] == [life.one]
    # Nobody asked for it to run again.
    time.sleep(1)
    assert life.cloud.server(life.one)["status"] == "SHUTOFF"


def test_delete_leaves_nothing(life: Life) -> None:
    for server_id in (life.one, life.two):
        life.cloud.delete(server_id)
    for server_id in (life.one, life.two):
        life.cloud.wait_gone(server_id)
    assert need(life.cloud) == Need()
    check_real(life.region, Need())
    check_rows(life.region, Need())
