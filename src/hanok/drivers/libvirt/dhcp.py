"""A network's DHCP service: dnsmasq in the network's namespace, answering from our table only.

    <folder>/hosts/<port id>   one file for each port, read as soon as it appears
    <folder>/dnsmasq.conf      what it was started with
    <folder>/dnsmasq.pid

It outlives this process. It takes new ports while it runs; whenever one goes or changes it is
started anew (about 15 ms), because in its memory a lease keeps an address from the next owner.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from hanok.drivers.libvirt.addressing import Lease, Segment, Subnet
from hanok.drivers.libvirt.host_command import run
from hanok.drivers.libvirt.host_tree import write_file
from hanok.drivers.libvirt.segment import INSIDE, NAMESPACES
from hanok.model.errors import HostError

_LEASE_SECONDS: Final = 86400  # Neutron's default
_FAILED: Final = "The network's DHCP service could not be started."
_END_SECONDS: Final = 2.0
_READABLE: Final = 0o644  # dnsmasq gives up root before it reads


class DhcpService:
    """The DHCP service of one network, in its folder and its namespace."""

    def __init__(self, folder: Path, namespace: str) -> None:
        self._hosts = folder / "hosts"
        self._conf = folder / "dnsmasq.conf"
        self._pid_file = folder / "dnsmasq.pid"
        self._namespace = NAMESPACES / namespace

    def ensure(self, segment: Segment, link: int) -> None:
        """Make it run as told: nothing happens where it does, or where no subnet has DHCP.

        `link` is the number of the link that it answers on: it does not follow to another.
        """
        conf = f"# link {link}\n{self._configuration(segment)}"
        pid = self._running()
        if pid is not None and self._is_current(pid, conf):
            return
        self._make_hosts()
        write_file(self._conf, conf.encode(), mode=_READABLE)
        self._restart()

    def put(self, lease: Lease) -> None:
        """Serve a port's addresses; a port that is served otherwise takes a restart."""
        self._make_hosts()
        path, text = self._hosts / lease.port_id, _host_lines(lease)
        old = _read(path)
        if old != text:
            write_file(path, text.encode(), mode=_READABLE)
        if old not in {None, text}:
            self._restart()

    def drop(self, port_id: str) -> None:
        """Serve a port no longer, and forget its lease."""
        (self._hosts / port_id).unlink(missing_ok=True)
        self._restart()

    def stop(self) -> None:
        """End it; absent is success."""
        while (pid := self._running()) is not None:
            _end(pid)
        self._pid_file.unlink(missing_ok=True)

    def _restart(self) -> None:
        """Start it anew with the configuration that stands; one that has none is not started."""
        self.stop()
        if not self._namespace.exists() or "dhcp-range" not in (_read(self._conf) or ""):
            return
        enter = ["nsenter", f"--net={self._namespace}"]
        run([*enter, *self._command()], _FAILED)

    def _command(self) -> list[str]:
        return [_program(), f"--conf-file={self._conf}"]

    def _make_hosts(self) -> None:
        self._hosts.mkdir(mode=0o755, exist_ok=True)
        self._hosts.chmod(0o755)

    def _is_current(self, pid: int, conf: str) -> bool:
        """Tell whether a process runs with this configuration in the namespace that stands."""
        try:
            theirs, ours = Path(f"/proc/{pid}/ns/net").stat(), self._namespace.stat()
        except OSError:
            return False
        return theirs.st_ino == ours.st_ino and _read(self._conf) == conf

    def _running(self) -> int | None:
        """Return the process that serves this network, whoever started it."""
        noted = (_read(self._pid_file) or "").strip()
        if noted.isdigit() and self._is_ours(int(noted)):
            return int(noted)
        return next((pid for pid in _processes() if self._is_ours(pid)), None)

    def _is_ours(self, pid: int) -> bool:
        """Tell whether a process is dnsmasq with our configuration file, and no zombie."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return b"dnsmasq" in words[0] and f"--conf-file={self._conf}".encode() in words

    def _configuration(self, segment: Segment) -> str:
        lines = [
            "port=0",
            f"interface={INSIDE}",
            "bind-dynamic",
            "no-hosts",
            "no-resolv",
            "no-ping",
            "leasefile-ro",
            # Ours is the only table: a client that renews after a restart is known.
            "dhcp-authoritative",
            "dhcp-ignore=tag:!known",
            "dhcp-lease-max=65536",
            "quiet-dhcp",
            f"pid-file={self._pid_file}",
            f"dhcp-hostsdir={self._hosts}",
            f"dhcp-option=option:mtu,{segment.mtu}",
        ]
        for index, subnet in enumerate(segment.subnets):
            if subnet.dhcp:
                lines += _subnet_lines(f"s{index}", subnet)
        return "\n".join(lines) + "\n"


def _subnet_lines(tag: str, subnet: Subnet) -> list[str]:
    """Return a subnet's lines: its range is static, so only known ports are given addresses."""
    start, mask = subnet.cidr.network_address, subnet.cidr.netmask
    # An option without a value is not sent; one that is not named is guessed.
    router = f",{subnet.gateway}" if subnet.gateway else ""
    dns = "".join(f",{server}" for server in subnet.dns)
    lines = [
        f"dhcp-range=set:{tag},{start},static,{mask},{_LEASE_SECONDS}",
        f"dhcp-option=tag:{tag},option:router{router}",
        f"dhcp-option=tag:{tag},option:dns-server{dns}",
    ]
    if subnet.gateway is None:
        lines.append(f"shared-network={INSIDE},{start}")
    return lines


def _host_lines(lease: Lease) -> str:
    """Return a port's lines, one for each address."""
    name = f",{lease.hostname}" if lease.hostname else ""
    return "".join(f"{lease.mac},{address}{name}\n" for address in lease.addresses)


def _program() -> str:
    found = shutil.which("dnsmasq", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise HostError(_FAILED, detail="dnsmasq is not installed", permanent=True)
    return found


def _processes() -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            yield int(folder.name)


def _end(pid: int) -> None:
    """End a process and wait until it has; a zombie that nobody reaps has ended too."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            if not select.select([handle], [], [], _END_SECONDS)[0]:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                select.select([handle], [], [], _END_SECONDS)
        finally:
            os.close(handle)


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
