"""Domains on QEMU through libvirt."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

import libvirt

from hanok.drivers.base import Disk, Domain, DomainSpec, HostFacts
from hanok.drivers.libvirt.connection import DEADLINE, Connection
from hanok.drivers.libvirt.disk_holders import DiskHolders
from hanok.drivers.libvirt.domain_actions import DomainActions
from hanok.drivers.libvirt.domain_folder import DomainFolder
from hanok.drivers.libvirt.domain_xml import (
    Accel,
    Backing,
    Shape,
    Surroundings,
    domain_xml,
    shape_in,
    shape_of,
    spec_digest,
)
from hanok.drivers.libvirt.host_tree import HostTree
from hanok.drivers.libvirt.names import Names, server_uuid
from hanok.drivers.libvirt.own_domains import OwnDomain, OwnDomains, destroy, is_absent, power_state
from hanok.drivers.libvirt.watch import Watch
from hanok.guest.config_drive import files, iso
from hanok.media.image_store import ImageStore
from hanok.media.inspect import backing_file
from hanok.model.errors import HostError, Invalid
from hanok.model.power import PowerState

_GIB: Final = 1 << 30
_REFUSAL_SECONDS: Final = 1.0
"""How long a refusal to shut down is waited for; a guest that obeys takes longer."""

_UNDEFINE: Final = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
)
_SHUTDOWN_WAYS: Final = (
    libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT | libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN
)


@dataclass(frozen=True, slots=True)
class Host:
    """What the drivers of one host share."""

    names: Names
    tree: HostTree
    images: ImageStore
    accel: Accel


class LibvirtCompute(DomainActions):
    """The compute driver of one deployment on the host that a connection leads to."""

    def __init__(self, host: Host, connection: Connection, holders: DiskHolders) -> None:
        """Prepare; the connection is opened when it is first needed."""
        super().__init__(connection, holders, OwnDomains(host.names))
        self._host = host
        self._watch = Watch(connection, self._domains.own_id, self._server_ids)

    def facts(self) -> HostFacts:
        """Measure processors, memory and the file system below the root."""

        def measure(conn: Any) -> tuple[int, int]:
            # getInfo's own figure leaves out memory that was added while the machine ran.
            memory = conn.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
            return int(conn.getInfo()[2]), int(memory["total"]) >> 10

        vcpus, ram_mib = self._connection.call("The host cannot be measured.", measure)
        return HostFacts(
            driver="libvirt",
            accel=self._host.accel,
            vcpus=vcpus,
            ram_mib=ram_mib,
            disk_gib=shutil.disk_usage(self._host.tree.root).total // _GIB,
        )

    def define(self, spec: DomainSpec) -> None:
        """Write the config drive, then the definition; see the protocol.

        The definition comes last and names the spec: where it stands, the drive stands too.
        A disk that is not there, or that another domain has, is a permanent error.
        """
        folder, drive = self._folder(spec.server_id), iso(files(spec.guest))
        around = self._surroundings(spec, folder)
        shape = shape_of(spec, around.backings)
        wanted = {disk.disk.disk_id for disk in spec.disks}

        def define(conn: Any) -> None:
            found = self._domains.find(conn, spec.server_id)
            if found is None:
                self._domains.check_free(conn, spec.server_id)
            elif _is_as(found, spec, shape) and folder.has_drive(drive):
                return
            elif found.handle.isActive():
                message = "The server cannot be changed while it runs."
                raise HostError(message, detail=spec.server_id, permanent=True)
            xml = domain_xml(spec, around)
            for disk_id in wanted:
                self._holders.take(disk_id, spec.server_id)
            folder.write_drive(drive)
            conn.defineXML(xml)
            self._holders.release(spec.server_id, keep=wanted)

        self._connection.call("The server could not be set up on its host.", define)

    def start(self, server_id: str) -> None:
        """Start QEMU and return when it runs; a disk or tap that is absent is permanent."""

        def start(conn: Any) -> None:
            found = self._domains.find(conn, server_id)
            if found is None:
                raise HostError("The server is not on this host.", detail=server_id, permanent=True)
            if found.handle.isActive():
                return
            _check_parts(found.handle.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
            try:
                found.handle.create()
            except libvirt.libvirtError:
                # Somebody else may have been first.
                if not found.handle.isActive():
                    raise

        self._connection.call("The server could not be started.", start)

    def shut_down(self, server_id: str) -> None:
        """Ask the guest; see the protocol.

        libvirt's call lasts until the agent's guest is down, so it is left behind in its thread.
        """

        def ask(conn: Any) -> None:
            found = self._domains.find(conn, server_id)
            if found is None or not found.handle.isActive():
                return
            try:
                found.handle.shutdownFlags(_SHUTDOWN_WAYS)
            except libvirt.libvirtError as error:
                if not is_absent(error) and found.handle.isActive():
                    raise

        future = self._connection.begin(ask, DEADLINE)
        if wait_for([future], _REFUSAL_SECONDS).done:
            self._connection.result(future, "The server could not be asked to shut down.", 0)

    def power_off(self, server_id: str) -> None:
        """End QEMU; see the protocol."""

        def end(conn: Any) -> None:
            found = self._domains.find(conn, server_id)
            if found is not None:
                destroy(found.handle)
                if found.handle.hasManagedSaveImage():
                    found.handle.managedSaveRemove()

        self._connection.call("The server could not be switched off.", end)

    def power_state(self, server_id: str) -> PowerState:
        """Ask libvirt; a domain whose QEMU ended by itself is CRASHED."""

        def look(conn: Any) -> PowerState:
            found = self._domains.find(conn, server_id)
            try:
                return PowerState.NOSTATE if found is None else power_state(found.handle)
            except libvirt.libvirtError as error:
                if is_absent(error):
                    return PowerState.NOSTATE
                raise

        return self._connection.call("The server's power state could not be read.", look)

    def delete(self, server_id: str) -> None:
        """End QEMU, then remove definition, folder and holds on disks; see the protocol."""

        def remove(conn: Any) -> None:
            found = self._domains.find(conn, server_id)
            if found is None:
                return
            destroy(found.handle)
            try:
                found.handle.undefineFlags(_UNDEFINE)
            except libvirt.libvirtError as error:
                if not is_absent(error):
                    raise

        self._connection.call("The server could not be removed from its host.", remove)
        self._folder(server_id).remove()
        self._holders.release(server_id)

    def list_domains(self) -> list[Domain]:
        """List the domains whose name and metadata are ours."""
        return self._connection.call(
            "The host's servers could not be listed.", self._domains.list_all
        )

    def console_log(self, server_id: str, max_bytes: int) -> bytes:
        """Read the end of the log; of a domain that never ran, nothing."""
        return self._folder(server_id).console_tail(max_bytes)

    def screen_url(self, server_id: str) -> str:
        """Read the address from the running domain's XML, where libvirt writes what it chose."""

        def look(conn: Any) -> str:
            found = self._domains.find(conn, server_id)
            if found is None or not found.handle.isActive():
                raise HostError("The server does not run.", detail=server_id, permanent=True)
            return _screen(found.handle.XMLDesc(0))

        return self._connection.call("The server's screen could not be found.", look)

    def watch(self, changed: Callable[[str], None]) -> None:
        """Report libvirt's lifecycle events; after a lost connection, every domain once."""
        self._watch.listen(changed)

    def close(self) -> None:
        """End the watch and the connection; domains keep running."""
        self._watch.close()
        self._connection.close()

    def _server_ids(self) -> Iterable[str]:
        return [domain.server_id for domain in self.list_domains()]

    def _folder(self, server_id: str) -> DomainFolder:
        return DomainFolder(self._host.tree.domains / server_uuid(server_id))

    def _surroundings(self, spec: DomainSpec, folder: DomainFolder) -> Surroundings:
        backings = ((disk.disk.disk_id, self._backing(disk.disk)) for disk in spec.disks)
        return Surroundings(
            deployment_id=self._host.names.deployment_id,
            domain_name=self._host.names.domain(spec.server_id),
            accel=self._host.accel,
            config_drive=folder.config_drive,
            console_log=folder.console_log,
            backings={disk_id: found for disk_id, found in backings if found is not None},
        )

    def _backing(self, disk: Disk) -> Backing | None:
        """Return the image below a disk, as the disk's header has it and the store confirms."""
        try:
            path = backing_file(Path(disk.path)) if disk.format == "qcow2" else None
            if path is None:
                return None
            image = self._host.images.get(Path(path).parent.name)
            if self._host.images.path(image.image_id).resolve() != Path(path):
                raise Invalid(f"{path} is not among the images")
        except FileNotFoundError as error:
            message = "A disk of the server is not there."
            raise HostError(message, detail=str(error), permanent=True) from error
        except Invalid as error:
            message = "A disk of the server is damaged."
            raise HostError(message, detail=f"{disk.path}: {error}", permanent=True) from error
        return Backing(path, image.disk_format)


def _is_as(found: OwnDomain, spec: DomainSpec, shape: Shape) -> bool:
    """Tell whether a domain is as a spec says, also after it was resized or got a disk."""
    if found.spec_digest != spec_digest(spec):
        return False
    return shape_in(found.handle.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)) == shape


def _screen(xml: str) -> str:
    """Return the address of the VNC display in a running domain's XML."""
    graphics = ET.fromstring(xml).find("devices/graphics[@type='vnc']")  # noqa: S314  # libvirt's
    listen = None if graphics is None else graphics.find("listen")
    if graphics is None or listen is None:
        raise HostError("The server has no screen.", permanent=True)
    if listen.get("type") == "socket":
        return f"vnc+unix://{quote(listen.get('socket', ''))}"
    return f"vnc://{listen.get('address')}:{graphics.get('port')}"


def _check_parts(xml: str) -> None:
    """Raise a permanent `HostError` where a domain's disk or tap is not on the host."""
    devices = ET.fromstring(xml)  # noqa: S314  # libvirt's own answer
    for source in devices.iterfind("devices/disk/source"):
        path = source.get("file", "")
        if not Path(path).exists():
            raise HostError("A disk of the server is not there.", detail=path, permanent=True)
    for target in devices.iterfind("devices/interface/target"):
        tap = target.get("dev", "")
        if not Path("/sys/class/net", tap).exists():
            raise HostError("A port of the server is not plugged in.", detail=tap, permanent=True)
