"""A real guest from its request to an SSH login, beside the same guest on QEMU alone.

A pair: a server is created through the API, and timed from POST to login. Then its domain is
stopped, and QEMU is started by hand with the domain's own command on a new overlay of the same
image, a copy of the same config drive and the same tap, and timed from exec to login: nothing of
what Hanok prepares is counted there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import bare_qemu
from bench.child import cpu_seconds, region
from bench.figures import Findings, at_most
from bench.member import Member
from bench.process import left_out
from bench.scene import Scene
from hanok.drivers.libvirt.names import Names
from hanok.media import qemu_img
from scripts.demo_host import Deployment

_JOIN_SECONDS = 120.0
_ACTIVE_SECONDS = 60.0
_LOGIN_SECONDS = 180.0
_GONE_SECONDS = 60.0
_GIB = 1 << 30
_VIRSH = ("virsh", "--quiet", "--connect", "qemu:///system")


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds: POST to ACTIVE, POST to login, exec of QEMU to login; QEMU's CPU until then."""

    active: float
    hanok: float
    bare: float
    hanok_cpu: float
    bare_cpu: float


@dataclass(frozen=True, slots=True)
class Place:
    """A region on this machine: its folder of host and images, and how its things are named."""

    folder: Path
    names: Names
    key: Path

    def log_in(self, network_id: str, address: str) -> None:
        """Return when an SSH login from inside the network has succeeded."""
        inside = ["ip", "netns", "exec", self.names.namespace(network_id)]
        probe = [sys.executable, "-m", "bench.ssh_probe", address, str(self.key)]
        subprocess.run(
            [*inside, *probe, str(_LOGIN_SECONDS)], timeout=_LOGIN_SECONDS + 60, check=True
        )


def run(scene: Scene) -> Findings:
    """Boot pairs of guests, one after the other."""
    missing = left_out("libvirt")
    if missing:
        raise RuntimeError(f"the bench guest cannot run here: {missing}")
    # Where QEMU's user can pass, which the scene's folder is not.
    folder = Path(tempfile.mkdtemp(prefix="hanok-bench-"))
    folder.chmod(0o711)
    deployment: Deployment | None = None
    try:
        with region(folder / "state", "libvirt") as child:
            child.wait_for(re.compile(r"host \S+ joined"), _JOIN_SECONDS)
            deployment = Deployment.of(folder / "state")
            assert deployment is not None
            deployment.note_files()
            pairs = _pairs(scene, Member(child.address, folder / "state"), folder)
    finally:
        if deployment is not None and (left := deployment.look()):
            scene.say(f"left behind, and removed now: {left.names()}")
            deployment.remove(libvirt=True)
        shutil.rmtree(folder)
    return _findings(pairs)


def _pairs(scene: Scene, member: Member, folder: Path) -> list[Pair]:
    place = _place(member, folder)
    pairs = []
    for number in range(scene.sizes.pairs):
        scene.say(f"pair {number + 1} of {scene.sizes.pairs}")
        pairs.append(_pair(member, place))
    return pairs


def _findings(pairs: list[Pair]) -> Findings:
    found = Findings("guest")
    hanok, bare = [one.hanok for one in pairs], [one.bare for one in pairs]
    found.add("POST to ACTIVE", "s", [one.active for one in pairs])
    found.add("POST to SSH login", "s", hanok)
    found.add("bare QEMU to SSH login", "s", bare)
    added = [mine - theirs for mine, theirs in zip(hanok, bare, strict=True)]
    found.add("what Hanok adds", "s", added, at_most(1.0))
    found.add_ratio("POST to SSH / bare QEMU", hanok, bare)
    cpu = [one.hanok_cpu for one in pairs]
    found.add("QEMU's CPU until login", "s", cpu)
    found.add_ratio("QEMU's CPU / bare", cpu, [one.bare_cpu for one in pairs])
    return found


def _place(member: Member, folder: Path) -> Place:
    kr1 = folder / "state" / "regions" / "kr1"
    made = member.call("POST", f"{member.compute}/os-keypairs", {"keypair": {"name": "bench"}})
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_text(made.json()["keypair"]["private_key"])
    return Place(kr1, Names((kr1 / "host" / "deployment").read_text()), key)


def _pair(member: Member, place: Place) -> Pair:
    body = member.create_body("bench", "bench")
    began = time.perf_counter()
    answer = member.call("POST", f"{member.compute}/servers", body)
    server_id = answer.json()["server"]["id"]
    try:
        server = member.await_active(server_id, _ACTIVE_SECONDS)
        active = time.perf_counter() - began
        [port] = member.get(f"{member.network}/ports?device_id={server_id}")["ports"]
        place.log_in(port["network_id"], port["fixed_ips"][0]["ip_address"])
        hanok = time.perf_counter() - began
        pid, command = bare_qemu.domain_process(place.names.domain(server_id))
        used = cpu_seconds(pid)
        bare, bare_used = _bare(place, server, port, command)
    finally:
        member.delete(server_id, _GONE_SECONDS)
    return Pair(active, hanok, bare, used, bare_used)


def _bare(
    place: Place, server: dict[str, Any], port: dict[str, Any], command: list[str]
) -> tuple[float, float]:
    """Stop the server's domain and boot the same guest without it; return seconds to login, CPU."""
    host = place.folder / "host"
    drive = host / "domains" / server["id"] / "config.iso"
    [volume] = server["os-extended-volumes:volumes_attached"]
    disk = host / "disks" / f"{volume['id']}.qcow2"
    image = (place.folder / "images" / server["image"]["id"] / "disk").resolve()
    with tempfile.TemporaryDirectory(dir=place.key.parent) as name:
        own = Path(name)
        files = {str(drive): str(own / "config.iso"), str(disk): str(own / "disk.qcow2")}
        shutil.copyfile(drive, files[str(drive)])
        domain = place.names.domain(server["id"])
        subprocess.run([*_VIRSH, "destroy", domain], timeout=60, check=True)
        qemu_img.create_overlay(Path(files[str(disk)]), image, "raw", 10 * _GIB)
        tap = place.names.tap(port["id"])
        bare = bare_qemu.bare_command(command, files, tap, own)
        began = time.perf_counter()
        with bare_qemu.running(bare, own / "qemu.out") as pid:
            place.log_in(port["network_id"], port["fixed_ips"][0]["ip_address"])
            return time.perf_counter() - began, cpu_seconds(pid)
