"""Networks and ports: a bridge and a namespace for each network, a tap for each port."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from hanok.drivers.base import NetworkSpec, PortSpec
from hanok.drivers.libvirt.addressing import (
    Segment,
    check_addresses,
    parse_network,
    parse_port,
)
from hanok.drivers.libvirt.dhcp import DhcpService
from hanok.drivers.libvirt.host_tree import write_file
from hanok.drivers.libvirt.links import (
    change_links,
    check_owner,
    find_link,
    links_named,
    remove_link,
)
from hanok.drivers.libvirt.names import Names, safe_id
from hanok.drivers.libvirt.segment import BRIDGES, Segments
from hanok.model.errors import HostError

_TAP: Final = "hkt"
_SPEC: Final = "network.json"
_GONE: Final = ".gone"


class LibvirtNetwork:
    """The networks and ports of one deployment on this host.

    A network's folder has a file `ports/<port id>`, written before anything else of a port is
    made and removed after all of it: what a crash cuts short is found again by its port's id.
    """

    def __init__(self, names: Names, folder: Path) -> None:
        self._names = names
        self._folder = folder
        self._segments = Segments(names)
        self._locks: dict[str, threading.Lock] = {}
        self._locks_lock = threading.Lock()
        for gone in folder.glob(f".*{_GONE}"):
            shutil.rmtree(gone, ignore_errors=True)

    def namespace(self, network_id: str) -> str:
        """Name the network's namespace: `ip netns exec <name> ssh …` reaches its guests."""
        return self._names.namespace(network_id)

    def plug(self, port: PortSpec, network: NetworkSpec) -> str:
        """Make the network's segment and the port's tap; see the protocol."""
        if network.network_id != port.network_id:
            raise _wrong("The port is not of this network.", port.port_id)
        segment, lease = parse_network(network), parse_port(port)
        check_addresses(port, segment)
        elsewhere = next((n for n in self._networks_of(port.port_id) if n != port.network_id), None)
        if elsewhere is not None:
            raise _wrong("The port is plugged into another network.", port.port_id)
        with self._alone(port.network_id):
            self._note(port)
            self._ensure(network, segment)
            tap = self._ensure_tap(port)
            self._dhcp(port.network_id).put(lease)
        return tap

    def unplug(self, port_id: str) -> None:
        """Remove the tap, the port's addresses, and with the last port the segment."""
        for network_id in self._networks_of(safe_id(port_id)):
            with self._alone(network_id):
                self._remove_tap(port_id)
                if self._ports_of(network_id) - {port_id}:
                    self._dhcp(network_id).drop(port_id)
                    self._note_path(network_id, port_id).unlink(missing_ok=True)
                else:
                    self._remove(network_id)
        # A tap whose note is gone, with its whole folder, is still the port's.
        self._remove_tap(port_id)

    def update_network(self, network: NetworkSpec) -> None:
        """Change addresses and DHCP of a network that has ports here; see the protocol."""
        segment = parse_network(network)
        with self._alone(network.network_id):
            if self._ports_of(network.network_id):
                self._ensure(network, segment)

    def apply(self, port: PortSpec) -> None:
        """Serve other addresses to a plugged port; one that is not plugged is permanent."""
        lease = parse_port(port)
        with self._alone(port.network_id):
            spec = self._folder / port.network_id / _SPEC
            if port.port_id not in self._ports_of(port.network_id) or not spec.exists():
                raise _wrong("The port is not plugged in.", port.port_id)
            network = msgspec.json.decode(spec.read_bytes(), type=NetworkSpec)
            check_addresses(port, parse_network(network))
            self._ensure_tap(port)
            self._dhcp(port.network_id).put(lease)

    def list_networks(self) -> list[str]:
        """List the networks whose bridge stands on this host."""
        return self._owned(BRIDGES, "network")

    def list_ports(self) -> list[str]:
        """List the ports whose tap stands on this host."""
        return self._owned(_TAP, "port")

    def _ensure(self, network: NetworkSpec, segment: Segment) -> None:
        path, text = self._folder / network.network_id / _SPEC, msgspec.json.encode(network)
        if not path.exists() or path.read_bytes() != text:
            write_file(path, text, mode=0o600)
        link = self._segments.ensure(segment)
        self._dhcp(segment.network_id).ensure(segment, link)

    def _ensure_tap(self, port: PortSpec) -> str:
        """Make the tap: persistent, so that it waits for QEMU, with room for its header."""
        tap, bridge = self._names.tap(port.port_id), self._names.bridge(port.network_id)
        alias = self._names.alias("port", port.port_id)
        found = find_link(tap)
        lines = []
        if found is None:
            lines.append(f"tuntap add dev {tap} mode tap vnet_hdr")
        else:
            check_owner(found, alias)
        if found is None or found.alias != alias:
            lines.append(f'link set dev {tap} alias "{alias}"')
            lines.append(f"link set dev {tap} addrgenmode none")
        if found is None or (found.mtu, found.master, found.is_up) != (port.mtu, bridge, True):
            lines.append(f"link set dev {tap} mtu {port.mtu} master {bridge} up")
        change_links(lines)
        return tap

    def _remove_tap(self, port_id: str) -> None:
        remove_link(self._names.tap(port_id), self._names.alias("port", port_id))

    def _remove(self, network_id: str) -> None:
        self._dhcp(network_id).stop()
        self._segments.remove(network_id)
        # The notes vanish at once, by a rename, or a repetition would not find the rest.
        gone = self._folder / f".{network_id}{_GONE}"
        (self._folder / network_id).rename(gone)
        shutil.rmtree(gone)

    def _dhcp(self, network_id: str) -> DhcpService:
        return DhcpService(self._folder / network_id, self._names.namespace(network_id))

    def _owned(self, prefix: str, kind: str) -> list[str]:
        found = (self._names.owned_id(kind, link.alias) for link in links_named(prefix))
        return sorted(object_id for object_id in found if object_id is not None)

    def _note(self, port: PortSpec) -> None:
        path = self._note_path(port.network_id, port.port_id)
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(mode=0o711, exist_ok=True)
            folder.chmod(0o711)
        if not path.exists():
            write_file(path, b"", mode=0o600)

    def _note_path(self, network_id: str, port_id: str) -> Path:
        return self._folder / safe_id(network_id) / "ports" / safe_id(port_id)

    def _ports_of(self, network_id: str) -> set[str]:
        folder = self._folder / safe_id(network_id) / "ports"
        if not folder.exists():
            return set()
        return {path.name for path in folder.iterdir() if not path.name.startswith(".")}

    def _networks_of(self, port_id: str) -> list[str]:
        """Return the networks that have a note of the port: one, or none."""
        return [path.parent.parent.name for path in self._folder.glob(f"*/ports/{port_id}")]

    @contextmanager
    def _alone(self, network_id: str) -> Iterator[None]:
        """Hold the network's lock: plugging and unplugging the last port would cross."""
        with self._locks_lock:
            lock = self._locks.setdefault(network_id, threading.Lock())
        with lock:
            yield


def _wrong(message: str, detail: str) -> HostError:
    return HostError(message, detail=detail, permanent=True)
