from __future__ import annotations

from dataclasses import replace

from hanok.drivers.base import Disk, DomainPort
from hanok.drivers.simulated.guest import boot_messages, shutdown_messages
from tests.drivers.scene import domain_of

DISK = Disk("disk-1", "/disks/disk-1", "simulated", 20)


def test_a_guest_boots_to_its_login_prompt() -> None:
    port = DomainPort("port-1", "fa:16:3e:00:00:01", "tap-1", 1400)
    said = boot_messages(domain_of((DISK,), (port,)), bootable=True).decode()
    assert "Linux version 6.1.0-simulated (simulated)" in said
    assert "[vda] 20 GiB, serial disk-1" in said
    assert "eth0: fa:16:3e:00:00:01, mtu 1400" in said
    assert said.endswith("\nweb-1 login: ")


def test_a_guest_has_the_name_that_its_config_drive_tells() -> None:
    spec = domain_of((DISK,))
    spec = replace(spec, guest=replace(spec.guest, hostname="named"))
    assert boot_messages(spec, bootable=True).endswith(b"\nnamed login: ")


def test_a_disk_without_a_system_does_not_boot() -> None:
    said = boot_messages(domain_of((DISK,)), bootable=False)
    assert b"No bootable device." in said
    assert b"Linux" not in said


def test_a_guest_says_that_it_goes() -> None:
    assert shutdown_messages().endswith(b"reboot: Power down\n")
