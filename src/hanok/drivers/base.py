"""The driver protocols: what a host can be asked to do.

Each method is safe to repeat: the caller chooses every id before the call, so doing a thing twice
makes one thing, and removing what is absent succeeds. Methods are synchronous, may be called from
several threads at once (for different objects), and return within seconds; whatever takes longer
is asked for here and observed later. They raise `model.errors.HostError`: `permanent=True` where
the same call would fail the same way; its `message` is shown to tenants, its `detail` to operators.

Arguments and results are plain frozen dataclasses: they travel through the journal as JSON.
A driver sees and touches only objects that carry its own deployment id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hanok.guest.config_drive import GuestConfig
from hanok.model.power import PowerState


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a host has: `accel` is kvm, tcg or simulated; memory in MiB, disk in GiB."""

    driver: str
    accel: str
    vcpus: int
    ram_mib: int
    disk_gib: int


@dataclass(frozen=True, slots=True)
class DiskSpec:
    """A disk to be: `image_id` None makes it blank. `size_gib` is its virtual size.

    `image_format` is the format of the image's stored bytes, never guessed from them.
    `independent`: the disk holds a copy of all that the image has, so that the image may go; any
    other disk reads from its image what it has not overwritten.
    """

    disk_id: str
    size_gib: int
    image_id: str | None = None
    image_format: str | None = None
    independent: bool = False


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk that exists: where and in which format a domain on this host opens it."""

    disk_id: str
    path: str
    format: str
    size_gib: int


@dataclass(frozen=True, slots=True)
class SubnetSpec:
    """A subnet as the network driver needs it: `cidr` 10.0.0.0/24, `gateway` an address or None."""

    subnet_id: str
    cidr: str
    gateway: str | None
    dns: tuple[str, ...] = ()
    dhcp: bool = True


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network (an isolated layer-2 segment) with its subnets."""

    network_id: str
    mtu: int
    subnets: tuple[SubnetSpec, ...]


@dataclass(frozen=True, slots=True)
class PortSpec:
    """A port: its MAC and addresses come from our own tables and are final."""

    port_id: str
    network_id: str
    mac: str
    addresses: tuple[tuple[str, str], ...]
    """(subnet id, address) pairs."""
    hostname: str = ""
    mtu: int = 1450


@dataclass(frozen=True, slots=True)
class DomainDisk:
    """A disk in a domain: `device` is its name without /dev/ (vda), `serial` what the guest sees.

    `boot_index` is 1 for the disk to boot from, None for one never booted from.
    """

    disk: Disk
    device: str
    serial: str
    boot_index: int | None = None


@dataclass(frozen=True, slots=True)
class DomainPort:
    """A port in a domain: `tap` is what `NetworkDriver.plug` answered."""

    port_id: str
    mac: str
    tap: str
    mtu: int = 1450


@dataclass(frozen=True, slots=True)
class DomainSpec:
    """A domain to be; its id is the server's."""

    server_id: str
    name: str
    project_id: str
    vcpus: int
    ram_mib: int
    disks: tuple[DomainDisk, ...]
    ports: tuple[DomainPort, ...]
    guest: GuestConfig


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain that exists on this host and its power state now."""

    server_id: str
    power_state: PowerState


@dataclass(frozen=True, slots=True)
class ExportedImage:
    """An image made from a disk: its size, its virtual size, its MD5 in hexadecimal digits.

    A large one may have no MD5.
    """

    size_bytes: int
    virtual_bytes: int
    checksum: str | None


class ComputeDriver(Protocol):
    """Domains: the running things of a host."""

    def facts(self) -> HostFacts:
        """Measure what this host has."""

    def define(self, spec: DomainSpec) -> None:
        """Make the domain exist, switched off, exactly as `spec` says, its config drive included.

        A domain of that id that is already there and equal is left alone (also when it runs);
        one that differs and is off is made equal; one that differs and runs is a permanent error.
        """

    def start(self, server_id: str) -> None:
        """Switch the domain on; already running is success. An unknown domain is permanent."""

    def shut_down(self, server_id: str) -> None:
        """Ask the guest to shut down (agent, else ACPI) and return at once; off is success."""

    def power_off(self, server_id: str) -> None:
        """Cut the power; off or absent is success."""

    def power_state(self, server_id: str) -> PowerState:
        """Look at the domain now; NOSTATE when there is none."""

    def pause(self, server_id: str) -> None:
        """Hold a running domain's CPUs still; paused is success, off or absent is permanent."""

    def unpause(self, server_id: str) -> None:
        """Let a paused domain go on; running is success, off or absent is permanent."""

    def suspend(self, server_id: str) -> None:
        """Save a running domain's memory to disk and end it: SUSPENDED; `start` brings it back.

        Suspended is success, off or absent is permanent. `power_off` drops what was saved.
        """

    def resize(self, server_id: str, vcpus: int, ram_mib: int) -> None:
        """Give a domain that is off another size; already so is success, running is permanent."""

    def attach_disk(self, server_id: str, disk: DomainDisk) -> None:
        """Add a disk to the domain's definition and, when it runs, to the running guest.

        A disk that is there already is success; one that another domain holds is permanent.
        """

    def detach_disk(self, server_id: str, disk_id: str) -> None:
        """Take a disk out of the definition and of the running guest; absent is success.

        A guest that does not let go of it within some seconds is an error that may be tried again.
        """

    def set_password(self, server_id: str, user: str, password: str) -> None:
        """Change a user's password in a running guest, through its agent."""

    def delete(self, server_id: str) -> None:
        """Make the domain, its config drive, console log and folder absent, running or not."""

    def list_domains(self) -> list[Domain]:
        """List every domain of this deployment on this host."""

    def console_log(self, server_id: str, max_bytes: int) -> bytes:
        """Return the last `max_bytes` of what the guest wrote to its serial console."""

    def screen_url(self, server_id: str) -> str:
        """Return the address of a running guest's screen, to be used from the host itself.

        `vnc+unix:///path`: RFB (RFC 6143) on a UNIX socket that only root and QEMU's user open;
        `vnc://address:port`: RFB on a port. Without a running domain, a permanent error.
        """

    def watch(self, changed: Callable[[str], None]) -> None:
        """Call `changed(server_id)` from a thread of the driver's when a power state may differ.

        Events are hints: they may be lost, doubled or late, and the caller looks again. What
        `changed` raises is logged, and ends nothing.
        """

    def close(self) -> None:
        """Let go of connections and threads; domains keep running."""


class StorageDriver(Protocol):
    """Disks: the bytes of volumes and of servers' local disks."""

    def create_disk(self, spec: DiskSpec) -> Disk:
        """Make the disk, thin, from an image or blank; one that is there is described again.

        Raises a permanent HostError when the image is absent or larger than the disk.
        """

    def describe_disk(self, disk_id: str) -> Disk:
        """Return a disk that is there; raises a permanent HostError when it is not."""

    def replace_disk(self, disk_id: str, by_id: str) -> None:
        """Give the disk `disk_id` the bytes of `by_id`, which is absent after, in one stroke.

        Where `by_id` is absent it has been done: success, as long as `disk_id` is there. Whatever
        domain has `disk_id` is off meanwhile and is defined anew after; `by_id` is in no domain.
        """

    def delete_disk(self, disk_id: str) -> None:
        """Make the disk absent; absent is success."""

    def export_disk(self, disk_id: str, image_id: str, disk_format: str) -> ExportedImage:
        """Copy a whole disk into the image store; an image of that id is described again.

        Where the copy would fill the host, which stops every guest that writes, it is not begun.
        Whatever domain has the disk is off or held still meanwhile.
        """

    def discard_image(self, image_id: str) -> None:
        """Make the bytes that an export has stored absent; absent is success.

        Only for an image that never was active: no disk can have been made from it.
        """

    def list_disks(self) -> list[Disk]:
        """List every disk of this deployment."""

    def free_gib(self) -> int:
        """Free space below the disks."""


class NetworkDriver(Protocol):
    """Networks and ports: bridges, taps, addresses."""

    def plug(self, port: PortSpec, network: NetworkSpec) -> str:
        """Make the port's tap exist on its network, with its address served; return its name.

        The segment, its gateway address and its DHCP service are made (or repaired, or made as
        told) with it, under the driver's own lock for that network.
        """

    def unplug(self, port_id: str) -> None:
        """Make the tap and the address entry absent; absent is success.

        The last port of a network takes the segment with it.
        """

    def update_network(self, network: NetworkSpec) -> None:
        """Make a network that has ports here as told (its subnets changed); absent is success."""

    def apply(self, port: PortSpec) -> None:
        """Make a plugged port as told (its addresses changed)."""

    def list_networks(self) -> list[str]:
        """List the ids of this deployment's networks on this host."""

    def list_ports(self) -> list[str]:
        """List the ids of this deployment's plugged ports on this host."""


@dataclass(frozen=True, slots=True)
class Drivers:
    """One host's drivers."""

    compute: ComputeDriver
    storage: StorageDriver
    network: NetworkDriver
