"""A guest on libvirt alone: a domain of the bench's own, and the calls that change it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4
from xml.etree import ElementTree as ET

import libvirt

from hanok.drivers.base import Disk, DomainDisk
from hanok.drivers.libvirt.domain_xml import disk_xml
from hanok.media import qemu_img

URI = "qemu:///system"
PAUSE = 0.005
_SECONDS = 60.0
_GIB = 1 << 30
_SHUT_DOWN = libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT | libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN
_BOTH = libvirt.VIR_DOMAIN_AFFECT_LIVE | libvirt.VIR_DOMAIN_AFFECT_CONFIG


class BareLibvirtError(Exception):
    """The definition has something that cannot be carried over, or a wait took too long."""


def bare_xml(text: str, name: str, files: Mapping[str, str], folder: Path) -> str:
    """Return a domain's definition under another name and id, with files of its own.

    `files` maps the paths of its disks to those that the new one has; the console's log lies in
    `folder`. Its metadata goes, so that nobody takes it for the domain of a server. Raises
    BareLibvirtError for a disk that has no new path.
    """
    domain = ET.fromstring(text)  # noqa: S314 - libvirt's own answer
    for tag, value in (("name", name), ("uuid", str(uuid4()))):
        element = domain.find(tag)
        assert element is not None
        element.text = value
    if (metadata := domain.find("metadata")) is not None:
        domain.remove(metadata)
    for source in domain.iterfind("devices/disk/source"):
        path = source.get("file", "")
        if path not in files:
            raise BareLibvirtError(f"no new path is known of the disk {path!r}")
        source.set("file", files[path])
    for log in domain.iterfind("devices/*/log"):
        log.set("file", str(folder / "console.log"))
    return ET.tostring(domain, encoding="unicode")


def wait_until(done: Callable[[], bool], what: str) -> None:
    """Look until something is so; raises BareLibvirtError after a minute."""
    until = time.monotonic() + _SECONDS
    while not done():
        if time.monotonic() > until:
            raise BareLibvirtError(f"after {_SECONDS:.0f} s {what}")
        time.sleep(PAUSE)


class BareDomain:
    """A running domain; each method does one thing with libvirt's calls and waits for its end."""

    def __init__(self, handle: libvirt.virDomain, folder: Path) -> None:
        self.name = str(handle.name())
        self._handle = handle
        self._folder = folder
        self._disk = ""

    def stop(self) -> None:
        """Have the guest shut down."""
        self._handle.shutdownFlags(_SHUT_DOWN)
        wait_until(lambda: not self._handle.isActive(), "the bare guest still runs")

    def start(self) -> None:
        """Start it."""
        self._handle.create()

    def reboot(self) -> None:
        """Have the guest shut down, then start it, as a SOFT reboot does."""
        self.stop()
        self.start()

    def prepare(self) -> None:
        """Make a disk to attach."""
        path = self._folder / f"{uuid4()}.qcow2"
        qemu_img.create_blank(path, _GIB)
        disk = Disk(path.stem, str(path), "qcow2", 1)
        self._disk = disk_xml(DomainDisk(disk, "vdb", path.stem[:20]), None)

    def attach(self) -> None:
        """Attach the disk, now and for later starts."""
        self._handle.attachDeviceFlags(self._disk, _BOTH)

    def put_back(self) -> None:
        """Take the disk away again."""
        self._handle.detachDeviceFlags(self._disk, _BOTH)
        wait_until(
            lambda: "vdb" not in str(self._handle.XMLDesc(0)), "the bare guest has the disk still"
        )


@contextmanager
def bare_domain(
    connection: libvirt.virConnect, of: str, files: Mapping[str, str], folder: Path
) -> Iterator[BareDomain]:
    """Define and start a copy of the domain named `of`, for as long as the block lasts."""
    text = connection.lookupByName(of).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    handle = connection.defineXML(bare_xml(text, f"bare-{of}", files, folder))
    try:
        handle.create()
        yield BareDomain(handle, folder)
    finally:
        if handle.isActive():
            handle.destroy()
        handle.undefine()
