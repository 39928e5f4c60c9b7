"""What is done to a domain that is there: held still, saved, resized, given and taken disks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final
from xml.etree import ElementTree as ET

import libvirt

from hanok.drivers.base import Disk, DomainDisk
from hanok.drivers.libvirt.connection import Connection
from hanok.drivers.libvirt.disk_holders import DiskHolders
from hanok.drivers.libvirt.domain_xml import Backing, disk_xml
from hanok.drivers.libvirt.own_domains import OwnDomains, power_state
from hanok.model.errors import HostError
from hanok.model.power import PowerState

_KIB_PER_MIB: Final = 1024
_RELEASE_SECONDS: Final = 8.0
"""How long a guest may take to let go of a disk."""
_LOOK_SECONDS: Final = 0.1
_SAVE_DEADLINE: Final = 100.0
_NO_PORT: Final = "No more available PCI slots"
"""How libvirt says it; the error's code is that of any internal error."""


class DomainActions:
    """The actions on domains; `backing` tells the image below a disk."""

    def __init__(self, connection: Connection, holders: DiskHolders, domains: OwnDomains) -> None:
        self._connection = connection
        self._holders = holders
        self._domains = domains

    def pause(self, server_id: str) -> None:
        """Stop the CPUs; QEMU writes its caches out first."""
        self._turn(server_id, PowerState.RUNNING, PowerState.PAUSED, lambda one: one.suspend())

    def unpause(self, server_id: str) -> None:
        """Start the CPUs again."""
        self._turn(server_id, PowerState.PAUSED, PowerState.RUNNING, lambda one: one.resume())

    def suspend(self, server_id: str) -> None:
        """Save the memory and end QEMU (libvirt's managed save)."""
        self._turn(
            server_id,
            PowerState.RUNNING,
            PowerState.SUSPENDED,
            lambda one: one.managedSave(0),
            deadline=_SAVE_DEADLINE,
        )

    def resize(self, server_id: str, vcpus: int, ram_mib: int) -> None:
        """Write the new size into the definition."""

        def change(conn: Any) -> None:
            handle = self._present(conn, server_id)
            root = ET.fromstring(_definition(handle))  # noqa: S314  # libvirt's own answer
            wanted = {
                "memory": str(ram_mib * _KIB_PER_MIB),
                "currentMemory": str(ram_mib * _KIB_PER_MIB),
                "vcpu": str(vcpus),
            }
            if all(root.findtext(tag) == text for tag, text in wanted.items()):
                return
            if handle.isActive():
                message = "The server cannot be changed while it runs."
                raise HostError(message, detail=server_id, permanent=True)
            for tag, text in wanted.items():
                element = root.find(tag)
                if element is not None:
                    element.text = text
                    element.attrib.pop("current", None)
                    if tag != "vcpu":
                        element.set("unit", "KiB")
            conn.defineXML(ET.tostring(root, encoding="unicode"))

        self._connection.call("The server could not be resized.", change)

    def attach_disk(self, server_id: str, disk: DomainDisk) -> None:
        """Plug a disk in; the guest sees it by its serial number."""
        backing = self._backing(disk.disk)

        def attach(conn: Any) -> None:
            handle = self._present(conn, server_id)
            self._holders.take(disk.disk.disk_id, server_id)
            xml = disk_xml(disk, backing)
            if handle.isActive() and not _has(handle.XMLDesc(0), disk.disk.path):
                _plug(handle, xml)
            if not _has(_definition(handle), disk.disk.path):
                handle.attachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_CONFIG)

        self._connection.call("The disk could not be attached.", attach)

    def detach_disk(self, server_id: str, disk_id: str) -> None:
        """Unplug a disk, and wait until a running guest has let go of it."""

        def detach(conn: Any) -> None:
            found = self._domains.find(conn, server_id)
            if found is None:
                return
            handle = found.handle
            element = _of_disk(_definition(handle), disk_id)
            if element is not None:
                handle.detachDeviceFlags(element, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
            if handle.isActive():
                _unplug(handle, disk_id)

        self._connection.call("The disk could not be detached.", detach)
        self._holders.release_one(disk_id, server_id)

    def set_password(self, server_id: str, user: str, password: str) -> None:
        """Ask the guest's agent."""

        def change(conn: Any) -> None:
            handle = self._present(conn, server_id)
            try:
                handle.setUserPassword(user, password)
            except libvirt.libvirtError as error:
                message = "The guest's agent did not change the password."
                raise HostError(message, detail=str(error)) from error

        self._connection.call("The password could not be changed.", change)

    def _backing(self, disk: Disk) -> Backing | None:
        raise NotImplementedError

    def _present(self, conn: Any, server_id: str) -> Any:
        """Return libvirt's domain; raises a permanent `HostError` where there is none."""
        found = self._domains.find(conn, server_id)
        if found is None:
            raise HostError("The server is not on this host.", detail=server_id, permanent=True)
        return found.handle

    def _turn(
        self,
        server_id: str,
        start: PowerState,
        end: PowerState,
        act: Callable[[Any], object],
        deadline: float | None = None,
    ) -> None:
        """Bring a domain from one power state to another; there already is success."""

        def turn(conn: Any) -> None:
            handle = self._present(conn, server_id)
            now = power_state(handle)
            if now == end:
                return
            if now != start:
                message = "The server is not in the state for it."
                raise HostError(message, detail=f"{server_id} is {now.name}", permanent=True)
            act(handle)

        failed = "The server's state could not be changed."
        if deadline is None:
            self._connection.call(failed, turn)
        else:
            self._connection.result(self._connection.begin(turn, deadline), failed, deadline)


def _definition(handle: Any) -> str:
    flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    return str(handle.XMLDesc(flags))


def _has(xml: str, path: str) -> bool:
    """Tell whether a domain's XML has a disk with that file."""
    disks = ET.fromstring(xml).iterfind("devices/disk/source")  # noqa: S314  # libvirt's own
    return any(source.get("file") == path for source in disks)


def _of_disk(xml: str, disk_id: str) -> str | None:
    """Return the element of a disk in a domain's XML, found by the name of its file."""
    for element in ET.fromstring(xml).iterfind("devices/disk"):  # noqa: S314  # libvirt's own
        source = element.find("source")
        name = "" if source is None else source.get("file", "").rpartition("/")[2]
        if name.partition(".")[0] == disk_id:
            return ET.tostring(element, encoding="unicode")
    return None


def _plug(handle: Any, xml: str) -> None:
    """Give a running guest a device; raises a permanent `HostError` when no port of its is free."""
    try:
        handle.attachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    except libvirt.libvirtError as error:
        if _NO_PORT not in str(error):
            raise
        raise HostError(
            "The guest has no room for another disk while it runs; stop the server first.",
            detail=f"libvirt: {error}",
            permanent=True,
        ) from error


def _unplug(handle: Any, disk_id: str) -> None:
    """Ask a running guest to let go of a disk, and wait for it."""
    until = time.monotonic() + _RELEASE_SECONDS
    asked = False
    while (element := _of_disk(handle.XMLDesc(0), disk_id)) is not None:
        if not asked:
            handle.detachDeviceFlags(element, libvirt.VIR_DOMAIN_AFFECT_LIVE)
            asked = True
        elif time.monotonic() > until:
            raise HostError("The guest does not let go of the disk.", detail=disk_id)
        else:
            time.sleep(_LOOK_SECONDS)
