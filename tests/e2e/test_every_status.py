"""One real guest through every status of the guide, each reached by a real operation.

A client polls all the while; each operation's effect is seen in the guest or on the machine.
MIGRATING is left out: it needs a second host.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hanok.drivers.libvirt.daemon import ensure_libvirtd
from tests.boots import count_guest_boot
from tests.e2e.cloud import Cloud, poll
from tests.e2e.inventory import Need, check_real, check_rows
from tests.e2e.region import Region, region
from tests.e2e.relay import Relay, relay
from tests.e2e.shell import Shell
from tests.e2e.watcher import Watcher, watching

# One test goes through all of it, in the order of the file.
pytestmark = [pytest.mark.guest, pytest.mark.slow, pytest.mark.timeout(300)]
BOOT_ID = "/proc/sys/kernel/random/boot_id"
HOST_SECONDS = 60.0
"""A host is taken for silent after one look that goes unanswered, and asked again."""


@dataclass(slots=True)
class Walk:
    """The region, the way to its libvirt, the server and who watches it."""

    region: Region
    relay: Relay
    cloud: Cloud
    server: str
    shell: Shell
    watcher: Watcher

    def act(self, name: str, body: Any = None, *, status: int = 202) -> Any:
        """Ask for an action; what was seen before is forgotten."""
        self.watcher.forget()
        path = f"/servers/{self.server}/action"
        return self.cloud.call("POST", "compute", path, {name: body}, status=status)

    def rests(self, status: str, seconds: float = 90.0) -> dict[str, Any]:
        """Wait until the server rests in a status."""
        return self.cloud.wait_status(self.server, status, seconds)

    def boot_id(self) -> str:
        """What tells this boot of the guest from every other."""
        return self.shell.await_(f"cat {BOOT_ID}")

    def booted(self, what: str, before: str) -> str:
        """Wait for a boot other than `before`; return its id."""
        count_guest_boot(f"every status: {what}")
        return self.shell.await_(f"grep -v {before} {BOOT_ID}", 90)

    def stands(self, status: str, states: tuple[str, str | None, int]) -> None:
        """Check that these states, and no others, were shown beside a status."""
        poll(lambda: self.watcher.states(status), f"{status} was not seen", 5)
        assert self.watcher.states(status) == {states}

    def seen(self, *statuses: str) -> None:
        """Check that the polling client saw these statuses, in this order, in its last look."""
        poll(lambda: self.watcher.statuses[-1:] == [statuses[-1]], f"{self.watcher.statuses}", 5)
        assert self.watcher.statuses[-len(statuses) :] == list(statuses)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """A server of the tiny image on block storage, watched from its first second."""
    folder = tmp_path_factory.mktemp("walk")
    ensure_libvirtd()
    with relay(folder) as way:
        settings = folder / "hanok.toml"
        settings.write_text(f'libvirt_uri = "{way.uri}"\nconfirm_resize_after = 8.0\n')
        with region("libvirt", "--config", str(settings)) as running:
            cloud = running.cloud()
            key = folder / "key"
            pair = cloud.call("POST", "compute", "/os-keypairs", {"keypair": {"name": "walk"}})
            key.touch(mode=0o600)
            key.write_text(pair["keypair"]["private_key"])
            server = cloud.create("walker", "m2.c1m2", key_name="walk")
            count_guest_boot("every status: create")
            with watching(running.cloud(), server) as watcher:
                shown = cloud.wait_status(server, "ACTIVE")
                ((address,),) = shown["addresses"].values()
                shell = Shell(running.deployment().namespace(), address["addr"], key)
                yield Walk(running, way, cloud, server, shell, watcher)


def test_build_and_active(walk: Walk) -> None:
    walk.seen("BUILD", "ACTIVE")
    walk.stands("ACTIVE", ("active", None, 1))
    assert walk.shell.await_("hostname") == "walker"
    walk.shell.say("echo kept > /root/mark && sync")


def test_password(walk: Walk) -> None:
    hashed = walk.shell.say("grep ^root: /etc/shadow")
    walk.act("changePassword", {"adminPass": "a-new-one"})
    walk.rests("ACTIVE")
    walk.seen("PASSWORD", "ACTIVE")
    assert walk.shell.say("grep ^root: /etc/shadow") != hashed


def test_reboot(walk: Walk) -> None:
    before = walk.boot_id()
    walk.act("reboot", {"type": "SOFT"})
    walk.rests("ACTIVE")
    walk.seen("REBOOT", "ACTIVE")
    walk.booted("SOFT reboot", before)
    assert walk.shell.say("cat /root/mark") == "kept"


def test_hard_reboot_of_a_guest_that_hangs(walk: Walk) -> None:
    before = walk.boot_id()
    walk.shell.run("echo 0 > /proc/sys/kernel/panic; (sleep 0.3; echo c > /proc/sysrq-trigger) &")
    poll(lambda: walk.shell.run("true").returncode != 0, "the guest still answers", 20)
    walk.act("reboot", {"type": "HARD"})
    walk.rests("ACTIVE")
    walk.seen("HARD_REBOOT", "ACTIVE")
    walk.booted("HARD reboot", before)
    assert walk.shell.say("cat /root/mark") == "kept"


def test_paused(walk: Walk) -> None:
    before = walk.boot_id()
    walk.act("pause")
    walk.rests("PAUSED")
    walk.stands("PAUSED", ("paused", None, 3))
    assert walk.shell.run("true").returncode != 0
    walk.act("unpause")
    walk.rests("ACTIVE")
    walk.seen("PAUSED", "ACTIVE")
    assert walk.boot_id() == before


def test_suspended(walk: Walk) -> None:
    before = walk.boot_id()
    walk.act("suspend")
    walk.rests("SUSPENDED")
    walk.stands("SUSPENDED", ("suspended", None, 7))
    assert _guests(walk.region) == []
    walk.act("resume")
    walk.rests("ACTIVE")
    walk.seen("SUSPENDED", "ACTIVE")
    assert walk.boot_id() == before


def test_shutoff(walk: Walk) -> None:
    before = walk.boot_id()
    walk.act("os-stop")
    walk.rests("SHUTOFF")
    walk.seen("ACTIVE", "SHUTOFF")
    assert _guests(walk.region) == []
    walk.act("os-start")
    walk.rests("ACTIVE")
    walk.booted("start", before)
    assert walk.shell.say("cat /root/mark") == "kept"


def test_resize_verify_resize_and_revert_resize(walk: Walk) -> None:
    before = walk.boot_id()
    walk.act("resize", {"flavorRef": walk.cloud.flavors()["m2.c2m4"]["id"]})
    shown = walk.rests("VERIFY_RESIZE")
    walk.seen("RESIZE", "VERIFY_RESIZE")
    assert shown["OS-EXT-STS:vm_state"] == "resized"
    walk.act("revertResize")
    walk.rests("ACTIVE")
    walk.seen("REVERT_RESIZE", "ACTIVE")
    before = walk.booted("resize taken back", before)
    assert walk.shell.say("grep -c ^processor /proc/cpuinfo") == "1"
    walk.act("resize", {"flavorRef": walk.cloud.flavors()["m2.c2m4"]["id"]})
    walk.rests("VERIFY_RESIZE")
    walk.rests("ACTIVE")  # by itself
    walk.seen("RESIZE", "VERIFY_RESIZE", "ACTIVE")
    walk.booted("resize", before)
    assert walk.shell.say("grep -c ^processor /proc/cpuinfo") == "2"
    memory = int(walk.shell.say("awk '/^MemTotal/ { print $2 }' /proc/meminfo"))
    assert memory > 3.8 * 1024 * 1024


def test_rescue(walk: Walk) -> None:
    before = walk.boot_id()
    walk.act("rescue", status=200)
    walk.rests("RESCUE")
    before = walk.booted("rescue", before)
    # The rescue disk is booted from; the server's own lies behind it.
    walk.shell.say("mkdir -p /mnt/own && mount /dev/vdb1 /mnt/own || mount /dev/vdb /mnt/own")
    assert walk.shell.say("cat /mnt/own/root/mark; umount /mnt/own") == "kept"
    assert walk.shell.run("test -e /root/mark").returncode == 1
    walk.act("unrescue")
    walk.rests("ACTIVE")
    walk.seen("RESCUE", "ACTIVE")
    walk.booted("unrescue", before)
    assert walk.shell.say("cat /root/mark") == "kept"


def test_shelved_offloaded(walk: Walk) -> None:
    before = walk.boot_id()
    walk.act("shelve")
    shown = walk.rests("SHELVED_OFFLOADED")
    assert shown["hostId"] == ""
    assert _guests(walk.region) == []
    assert walk.region.deployment().look(besides=walk.region.pid).domains == ()
    walk.act("unshelve")
    walk.rests("ACTIVE")
    walk.seen("SHELVED_OFFLOADED", "ACTIVE")
    walk.booted("unshelve", before)
    assert walk.shell.say("cat /root/mark") == "kept"


def test_rebuild(walk: Walk) -> None:
    before = walk.boot_id()
    walk.act("rebuild", {"imageRef": walk.cloud.image_id()})
    walk.rests("ACTIVE")
    walk.seen("REBUILD", "ACTIVE")
    walk.booted("rebuild", before)
    assert walk.shell.run("test -e /root/mark").returncode == 1


def test_unknown_while_the_host_does_not_answer(walk: Walk) -> None:
    before = walk.boot_id()
    walk.watcher.forget()
    walk.relay.fall_silent()
    poll(lambda: _status(walk) == "UNKNOWN", "the host is not taken for silent", HOST_SECONDS)
    assert walk.boot_id() == before, "the guest knows nothing of it"
    walk.relay.speak()
    walk.rests("ACTIVE", HOST_SECONDS)
    walk.seen("ACTIVE", "UNKNOWN", "ACTIVE")
    assert walk.boot_id() == before


def test_error(walk: Walk) -> None:
    """No host has room for the largest flavor: the fault says what was tried."""
    admin = walk.region.cloud(walk.region.account("admin"))
    path = f"/os-quota-sets/{walk.cloud.account.project_id}"
    admin.call("PUT", "compute", path, {"quota_set": {"cores": -1, "ram": -1}})
    flavors = walk.cloud.flavors().values()
    largest = max((one for one in flavors if one["disk"] == 0), key=lambda one: int(one["ram"]))
    other = walk.cloud.create("too-large", str(largest["name"]))
    shown = walk.cloud.wait_status(other, "ERROR")
    assert "No valid host" in shown["fault"]["message"]
    walk.cloud.delete(other)
    walk.cloud.wait_gone(other)


def test_deleted(walk: Walk) -> None:
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    walk.cloud.delete(walk.server)
    walk.cloud.wait_gone(walk.server)
    listed = walk.cloud.get("compute", f"/servers/detail?changes-since={since}")["servers"]
    (shown,) = [one for one in listed if one["id"] == walk.server]
    assert shown["status"] == "DELETED"
    assert shown["OS-SRV-USG:terminated_at"]
    check_real(walk.region, Need())
    check_rows(walk.region, Need())


def _status(walk: Walk) -> str:
    return str(walk.cloud.server(walk.server)["status"])


def _guests(running: Region) -> list[str]:
    found = running.deployment().look(besides=running.pid).processes
    return [process for process in found if process.startswith("qemu")]
