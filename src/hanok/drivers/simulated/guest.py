"""What a simulated guest writes to its serial console."""

from __future__ import annotations

from hanok.drivers.base import DomainSpec
from hanok.guest.config_drive import hostname

_PAGE = 4  # KiB


def boot_messages(spec: DomainSpec, bootable: bool) -> bytes:
    """Return what the guest writes from power on to its login prompt.

    Without a system to boot (`bootable` false) it is the firmware that speaks.
    """
    lines = _kernel(spec) if bootable else ["Booting from Hard Disk...", "No bootable device."]
    end = f"\n{_name(spec)} login: " if bootable else "\n"
    return ("\n".join(["SeaBIOS (simulated)", *lines]) + end).encode()


def shutdown_messages() -> bytes:
    """Return what the guest writes when it has shut down."""
    return b"\nThe system is going down NOW!\n[   10.000000] reboot: Power down\n"


def _kernel(spec: DomainSpec) -> list[str]:
    pages = spec.ram_mib * 1024
    said = [
        "Linux version 6.1.0-simulated (simulated) #1 SMP PREEMPT_DYNAMIC",
        "Command line: root=/dev/vda1 console=ttyS0",
        f"Memory: {pages - pages // 32 // _PAGE * _PAGE}K/{pages}K available",
        f"smp: Brought up 1 node, {spec.vcpus} CPUs",
        *(
            f"virtio_blk: [{held.device}] {held.disk.size_gib} GiB, serial {held.serial}"
            for held in spec.disks
        ),
        *(f"virtio_net eth{n}: {port.mac}, mtu {port.mtu}" for n, port in enumerate(spec.ports)),
        "EXT4-fs (vda1): mounted filesystem with ordered data mode",
        f"config-2: hostname {_name(spec)}",
    ]
    return [f"[{n * 0.125:12.6f}] {line}" for n, line in enumerate(said)]


def _name(spec: DomainSpec) -> str:
    return spec.guest.hostname or hostname(spec.guest.name, spec.server_id)
