"""A real guest that is rescued, brought back, and rebuilt, seen from inside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.boots import count_guest_boot
from tests.e2e.cloud import Cloud
from tests.e2e.inventory import Need, check_real, check_rows, need
from tests.e2e.region import Region, region
from tests.e2e.shell import Shell

# Four boots, one after the other.
pytestmark = [pytest.mark.guest, pytest.mark.slow]

BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
HOST_KEY = "md5sum < /etc/dropbear/dropbear_ed25519_host_key"
TOLD = (
    "mkdir -p /tmp/told && mount -o ro $(findfs LABEL=config-2) /tmp/told && "
    "jq -r .admin_pass /tmp/told/openstack/latest/meta_data.json && umount /tmp/told"
)


@dataclass(slots=True)
class Scene:
    """A region and a server on block storage that has a file of its own."""

    region: Region
    cloud: Cloud
    server_id: str
    shell: Shell
    volume_id: str

    def act(self, name: str, body: object, status: int) -> Any:
        """Ask for an action that boots the guest anew."""
        path = f"/servers/{self.server_id}/action"
        answer = self.cloud.call("POST", "compute", path, {name: body}, status=status)
        count_guest_boot(f"{name}: {self.server_id}")
        return answer

    def address(self) -> str:
        ((address,),) = self.cloud.server(self.server_id)["addresses"].values()
        return str(address["addr"])


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with region("libvirt") as running:
        cloud = running.cloud()
        pair = cloud.call("POST", "compute", "/os-keypairs", {"keypair": {"name": "made"}})
        key = Path(tmp_path_factory.mktemp("keys"), "made")
        key.touch(mode=0o600)
        key.write_text(pair["keypair"]["private_key"])
        server_id = cloud.create("patient", "m2.c1m2", key_name="made")
        count_guest_boot(f"rescue and rebuild: {server_id}")
        shown = cloud.wait_status(server_id, "ACTIVE")
        ((address,),) = shown["addresses"].values()
        (volume,) = shown["os-extended-volumes:volumes_attached"]
        shell = Shell(running.deployment().namespace(), str(address["addr"]), key)
        shell.await_("echo broken > /root/marker && sync")
        yield Scene(running, cloud, server_id, shell, volume["id"])


def test_in_rescue_the_old_root_is_the_second_disk_and_can_be_mended(scene: Scene) -> None:
    shell = scene.shell
    before = shell.say(BOOT_ID)
    password = scene.act("rescue", {"adminPass": "let me in"}, 200)["adminPass"]
    assert password == "let me in"
    scene.cloud.wait_status(scene.server_id, "RESCUE", 90)
    shell.await_(f"test $({BOOT_ID}) != {before} && test ! -e /root/marker")
    assert scene.address() == shell.address
    disks = shell.say("lsblk -dn -o NAME,SIZE /dev/vda /dev/vdb").split()
    assert disks == ["vda", "1G", "vdb", "10G"]
    assert shell.say("cat /sys/block/vdb/serial") == scene.volume_id[:20]
    assert shell.say("df / | awk 'END { print $1 }'") in {"/dev/vda1", "/dev/root"}
    assert shell.say(TOLD) == "let me in"
    shell.say("mount /dev/vdb1 /mnt && grep -q broken /mnt/root/marker")
    shell.say("echo mended > /mnt/root/marker && umount /mnt")


def test_unrescue_boots_the_mended_root(scene: Scene) -> None:
    shell = scene.shell
    scene.act("unrescue", None, 202)
    scene.cloud.wait_status(scene.server_id, "ACTIVE", 90)
    shell.await_("grep -q mended /root/marker")
    assert shell.say("lsblk -dn -o NAME /dev/vd?") == "vda"
    wanted = need(scene.cloud)
    check_real(scene.region, wanted)
    check_rows(scene.region, wanted)


def test_rebuild_makes_a_new_root_with_the_old_name_and_address(scene: Scene) -> None:
    shell = scene.shell
    boot, key = shell.say(BOOT_ID), shell.say(HOST_KEY)
    body = {"imageRef": scene.cloud.image_id()}
    answer = scene.act("rebuild", body, 202)["server"]
    assert answer["status"] == "REBUILD"
    shown = scene.cloud.wait_status(scene.server_id, "ACTIVE", 90)
    assert shown["os-extended-volumes:volumes_attached"] == [{"id": scene.volume_id}]
    shell.await_(f"test $({BOOT_ID}) != {boot} && test ! -e /root/marker")
    assert scene.address() == shell.address
    assert shell.say(HOST_KEY) != key
    assert shell.say("hostname") == "patient"
    assert shell.say(TOLD) == answer["adminPass"]
    assert shell.say("lsblk -dn -o NAME,SIZE /dev/vd?").split() == ["vda", "10G"]
    wanted = need(scene.cloud)
    check_real(scene.region, wanted)
    check_rows(scene.region, wanted)


def test_a_rescued_server_is_deleted_whole(scene: Scene) -> None:
    """Its guest need not have booted: domain, both disks and the port go."""
    scene.cloud.call("POST", "compute", f"/servers/{scene.server_id}/action", {"rescue": None})
    scene.cloud.wait_status(scene.server_id, "RESCUE", 90)
    scene.cloud.delete(scene.server_id)
    scene.cloud.wait_gone(scene.server_id)
    assert need(scene.cloud) == Need()
    check_real(scene.region, Need())
    check_rows(scene.region, Need())
