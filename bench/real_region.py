"""A region of real guests for a bench: libvirt, in a folder of its own that goes with it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.child import region
from bench.member import Member
from bench.process import left_out
from bench.scene import Scene
from hanok.drivers.libvirt.names import Names
from hanok.media import qemu_img
from scripts.demo_host import Deployment

VIRSH = ("virsh", "--quiet", "--connect", "qemu:///system")
_JOIN_SECONDS = 120.0
_LOGIN_SECONDS = 180.0
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Place:
    """A region on this machine: its folder of host and images, and how its things are named."""

    folder: Path
    names: Names
    key: Path

    @property
    def own(self) -> Path:
        """The folder for what a bench makes itself; QEMU's user can pass."""
        return self.key.parent

    def log_in(self, network_id: str, address: str) -> None:
        """Return when an SSH login from inside the network has succeeded."""
        inside = ["ip", "netns", "exec", self.names.namespace(network_id)]
        probe = [sys.executable, "-m", "bench.ssh_probe", address, str(self.key)]
        subprocess.run(
            [*inside, *probe, str(_LOGIN_SECONDS)], timeout=_LOGIN_SECONDS + 60, check=True
        )

    def copy_files(self, server: dict[str, Any], own: Path) -> dict[str, str]:
        """Make a server's files anew in `own`; return which path of its becomes which.

        They are a copy of its config drive and a new overlay of its image: as it booted first.
        """
        host = self.folder / "host"
        drive = host / "domains" / server["id"] / "config.iso"
        [volume] = server["os-extended-volumes:volumes_attached"]
        disk = host / "disks" / f"{volume['id']}.qcow2"
        image = (self.folder / "images" / server["image"]["id"] / "disk").resolve()
        files = {str(drive): str(own / "config.iso"), str(disk): str(own / "disk.qcow2")}
        shutil.copyfile(drive, files[str(drive)])
        qemu_img.create_overlay(Path(files[str(disk)]), image, "raw", 10 * _GIB)
        return files


@contextmanager
def real_region(scene: Scene, bench: str) -> Iterator[tuple[Member, Place]]:
    """Run a region that has joined; raises RuntimeError where it cannot. Nothing stays behind."""
    missing = left_out("libvirt")
    if missing:
        raise RuntimeError(f"the bench {bench} cannot run here: {missing}")
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
            member = Member(child.address, folder / "state")
            yield member, _place(member, folder)
    finally:
        if deployment is not None and (left := deployment.look()):
            scene.say(f"left behind, and removed now: {left.names()}")
            deployment.remove(libvirt=True)
        shutil.rmtree(folder)


def _place(member: Member, folder: Path) -> Place:
    kr1 = folder / "state" / "regions" / "kr1"
    made = member.call("POST", f"{member.compute}/os-keypairs", {"keypair": {"name": "bench"}})
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_text(made.json()["keypair"]["private_key"])
    return Place(kr1, Names((kr1 / "host" / "deployment").read_text()), key)
