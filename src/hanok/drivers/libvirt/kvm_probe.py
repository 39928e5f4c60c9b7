"""Whether KVM works here: by booting a real kernel under it.

Nothing less tells. /dev/kvm may open, machines and processors may be made and even run, libvirt's
capabilities may list kvm, QEMU may say "running" - and no guest ever prints a byte.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from pathlib import Path
from typing import Final

from hanok.drivers.libvirt.domain_xml import Accel
from hanok.drivers.libvirt.host_command import run
from hanok.drivers.libvirt.host_tree import write_file
from hanok.model.errors import HostError

MARKER: Final = b"Linux version"
"""The first words that a Linux kernel writes to its console."""

QEMU: Final = "qemu-system-x86_64"

_KVM: Final = Path("/dev/kvm")
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_KEEP: Final = 1 << 16


def accel(image: Path, cache: Path, deadline: float = 8.0) -> Accel:
    """Return "kvm" if `image` boots under KVM within `deadline` seconds, otherwise "tcg".

    `image` is a raw disk whose kernel writes to the first serial port; it is not changed. The
    answer is kept in the file `cache` for this boot of the machine, this kernel and this QEMU.
    """
    if not os.access(_KVM, os.R_OK | os.W_OK):
        return "tcg"
    try:
        version = run([QEMU, "--version"], "QEMU does not run on this host.")
    except HostError:
        return "tcg"
    machine = {
        "boot": _BOOT_ID.read_text().strip(),
        "qemu": version.splitlines()[0],
        "kernel": os.uname().release,
    }
    known = _read(cache, machine)
    if known is not None:
        return known
    found: Accel = "kvm" if boots(boot_command(image, "kvm"), deadline) else "tcg"
    write_file(cache, json.dumps(machine | {"accel": found}).encode(), mode=0o600)
    return found


def boot_command(image: Path, accelerator: Accel) -> list[str]:
    """Return what boots the image with its serial port on standard output."""
    processor = "host" if accelerator == "kvm" else "max"
    return [
        *(QEMU, "-accel", accelerator, "-cpu", processor, "-machine", "q35", "-m", "256"),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"),
        *("-drive", f"file={str(image).replace(',', ',,')},format=raw,if=virtio,snapshot=on"),
    ]


def boots(command: list[str], deadline: float) -> bool:
    """Tell whether a command writes the marker to standard output in time; it is then ended."""
    until = time.monotonic() + deadline
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            return _says_marker(process, until)
        finally:
            process.kill()


def _says_marker(process: subprocess.Popen[bytes], until: float) -> bool:
    if process.stdout is None:
        return False
    said = b""
    handle = process.stdout.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0 and selector.select(left):
            chunk = os.read(handle, _KEEP)
            if not chunk:
                return False
            said = (said + chunk)[-_KEEP:]
            if MARKER in said:
                return True
    return False


def _read(cache: Path, machine: dict[str, str]) -> Accel | None:
    try:
        kept = json.loads(cache.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(kept, dict) or any(kept.get(key) != value for key, value in machine.items()):
        return None
    found = kept.get("accel")
    if found == "kvm":
        return "kvm"
    return "tcg" if found == "tcg" else None
