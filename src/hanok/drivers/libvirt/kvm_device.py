"""The device of KVM on machines where no udev looks after it.

libvirt examines QEMU as root, and afterwards asks whether QEMU's own user can open /dev/kvm. Where
the answers differ it discards what it learned and examines QEMU anew for each call: seconds, or a
minute where KVM does not work. udev gives the device to the group kvm; where there is none
(containers, tiny virtual machines) the device stays root's alone, and this does what udev would.
"""

from __future__ import annotations

import grp
import os
import stat
from pathlib import Path
from typing import Final

DEVICE: Final = Path("/dev/kvm")
GROUP: Final = "kvm"
_MODE: Final = 0o660
_UDEV: Final = Path("/run/udev/control")


def share_device(device: Path = DEVICE, *, udev: Path = _UDEV, group: str = GROUP) -> bool:
    """Give the device to its group, as udev's rules say, where no udev runs; tell if it changed.

    Nothing happens without root, device or group.
    """
    if os.geteuid() != 0 or udev.exists() or not device.exists():
        return False
    try:
        wanted = grp.getgrnam(group).gr_gid
    except KeyError:
        return False
    found = device.stat()
    if found.st_gid == wanted and stat.S_IMODE(found.st_mode) & _MODE == _MODE:
        return False
    os.chown(device, found.st_uid, wanted)
    device.chmod(_MODE)
    return True
