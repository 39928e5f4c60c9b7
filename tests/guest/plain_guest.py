"""A guest under plain QEMU, without libvirt: what an image does by itself."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hanok.guest import config_drive
from hanok.guest.config_drive import GuestConfig
from tests.boots import count_guest_boot

LOGIN_TIMEOUT = 60.0  # seconds


@dataclass
class PlainGuest:
    """A running guest: its console's log, its QMP socket, and a port that leads to its SSH."""

    folder: Path
    port: int
    login: str
    process: subprocess.Popen[bytes]

    def ssh(self, command: str) -> str:
        """Run a command in the guest by SSH and return what it wrote; raise if it failed."""
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
        done = subprocess.run(
            [
                *("ssh", "-i", str(self.folder / "key"), "-p", str(self.port)),
                *(f"-o{option}" for option in (*options, "BatchMode=yes", "ConnectTimeout=20")),
                *(f"{self.login}@127.0.0.1", command),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout.strip()

    def console(self) -> str:
        return (self.folder / "console.log").read_text("utf-8", "replace")

    def await_ssh(self, timeout: float = LOGIN_TIMEOUT) -> None:
        """Wait until the SSH server greets."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "QEMU ended"
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), timeout=0.5) as connection,
            ):
                if connection.recv(4) == b"SSH-":
                    return
            time.sleep(0.1)
        raise AssertionError(f"no SSH within {timeout} s; console:\n{self.console()[-2000:]}")

    def await_answer(self, command: str, answer: str, timeout: float = 30.0) -> None:
        """Wait until a command in the guest answers so."""
        deadline = time.monotonic() + timeout
        found = self.ssh(command)
        while found != answer and time.monotonic() < deadline:
            time.sleep(0.5)
            found = self.ssh(command)
        assert found == answer

    def press_power_button(self) -> None:
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(10)
            monitor.connect(str(self.folder / "qmp"))
            with monitor.makefile("rwb") as stream:
                stream.readline()  # the greeting
                for command in ("qmp_capabilities", "system_powerdown"):
                    stream.write(json.dumps({"execute": command}).encode() + b"\n")
                    stream.flush()
                    while "return" not in json.loads(stream.readline()):
                        pass  # an event


def make_key(folder: Path) -> str:
    """Make the key pair by which `PlainGuest.ssh` logs in; return the public key."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")],
        check=True,
        timeout=10,
    )
    return (folder / "key.pub").read_text("ascii").strip()


def make_disk(image: Path, folder: Path) -> Path:
    """Copy a raw image to a disk of the guest's own, holes kept."""
    disk = folder / "disk.raw"
    subprocess.run(["cp", "--sparse=always", str(image), str(disk)], check=True, timeout=60)
    return disk


def resize_disk(disk: Path, gib: int) -> None:
    with disk.open("r+b") as stream:
        stream.truncate(gib << 30)


@contextlib.contextmanager
def boot(folder: Path, disk: Path, config: GuestConfig, login: str) -> Iterator[PlainGuest]:
    """Start a guest from `disk` with a config drive; at the end cut its power."""
    count_guest_boot(f"{disk.name} of {config.name} under plain QEMU")
    drive = folder / "config.iso"
    drive.write_bytes(config_drive.iso(config_drive.files(config)))
    (folder / "console.log").unlink(missing_ok=True)
    port = _free_port()
    qemu = shutil.which("qemu-system-x86_64")
    assert qemu, "QEMU is not installed"
    process = subprocess.Popen(
        [
            *(qemu, "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-m", "512"),
            *("-nodefaults", "-display", "none", "-serial", f"file:{folder / 'console.log'}"),
            *("-drive", f"if=none,id=root,file={disk},format=raw,discard=unmap"),
            *("-device", "virtio-blk-pci,drive=root,bootindex=1,serial=root"),
            *("-drive", f"if=none,id=config,file={drive},format=raw,readonly=on"),
            *("-device", "virtio-scsi-pci", "-device", "scsi-cd,drive=config"),
            *("-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22,restrict=on"),
            *("-device", "virtio-net-pci,netdev=net,mac=52:54:00:00:00:01,romfile="),
            *("-device", "virtio-rng-pci", "-qmp", f"unix:{folder / 'qmp'},server=on,wait=off"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield PlainGuest(folder, port, login, process)
    finally:
        process.kill()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
