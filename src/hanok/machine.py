"""This machine as a host of a region: which driver, which image to start with, how it joins."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hanok.config import Config, ConfigError
from hanok.drivers.base import Drivers
from hanok.drivers.simulated import host as simulated
from hanok.drivers.simulated.config import SimulatedConfig
from hanok.guest import image_cache, tiny_image
from hanok.media.image_store import ImageStore
from hanok.model.errors import HostError
from hanok.model.host import Host
from hanok.model.image import Image
from hanok.model.moments import Clock
from hanok.store import deployment, hosts, images, zones
from hanok.store.database import Database, Transaction

CPU_RATIO = 16
"""Virtual CPUs that one real one carries."""
RAM_RESERVE_MIB = 1024
"""Memory that stays the machine's own."""
DISK_LIMIT_GIB = 1_000_000
"""Thin disks are counted by their virtual size against this; free space has a floor of its own."""
TINY = "hanok-tiny"
_PLACEHOLDER = 1 << 20
_TINY_PROPERTIES = {
    "os_type": "linux",
    "os_distro": "hanok",
    "os_version": "1",
    "os_architecture": "amd64",
    "hypervisor_type": "qemu",
    "login_username": "root",
    "description": "A tiny Linux built from Debian packages, for trying things out",
}


@dataclass(frozen=True, slots=True)
class MachineReport:
    """A host that is proven: its row, its drivers, and a line for the operator."""

    host: Host
    drivers: Drivers
    sentence: str


def choose(driver: str) -> tuple[str, str]:
    """Decide for libvirt or the simulated driver; return it and the reason in a few words."""
    if driver != "auto":
        return driver, "as asked"
    if os.geteuid() != 0:
        return "simulated", "not root, so real guests cannot be run"
    if importlib.util.find_spec("libvirt") is None:
        return "simulated", "Python's libvirt binding (python3-libvirt) is not installed"
    if shutil.which("qemu-system-x86_64") is None:
        return "simulated", "QEMU (qemu-system-x86) is not installed"
    return "libvirt", "root, with libvirt and QEMU installed"


class Machine:
    """One region's host on this machine. `folder` is the region's, `say` shows one line."""

    def __init__(
        self, config: Config, folder: Path, images_: ImageStore, say: Callable[[str], None]
    ) -> None:
        self._config = config
        self._folder = folder
        self._images = images_
        self._say = say
        self._driver = ""
        self._deployment = ""
        self._tiny = ""
        self._host: Host | None = None

    def prepare(self, store: Database, clock: Clock) -> None:
        """Before the API opens: note the host as joining and register the tiny image.

        Raises ConfigError when the state directory's host has another driver than asked for.
        """
        with store.write() as tx:
            self._deployment = deployment.identifier(tx, clock)
            known = [one for one in hosts.all_hosts(tx) if one.name == socket.gethostname()]
            host = known[0] if known else self._first_host(tx, clock)
            if self._config.driver not in ("auto", host.driver):
                raise ConfigError(
                    f"The host in this state directory has the {host.driver} driver. Use "
                    f"--driver {host.driver}, or another --state."
                )
            host = replace(host, state="joining", seen_at=clock.now())
            hosts.register(tx, host)
        self._host = host
        self._register_tiny_image(store, clock)

    def _first_host(self, tx: Transaction, clock: Clock) -> Host:
        """Describe this machine before it is measured: in every zone, with room for nothing."""
        driver, reason = choose(self._config.driver)
        if self._config.driver == "auto":
            self._say(f"hanok: driver {driver}: {reason}")
        return Host(
            id=clock.new_id(),
            name=socket.gethostname(),
            driver=driver,
            accel="",
            state="joining",
            vcpus=0,
            ram_mib=0,
            disk_gib=0,
            used_vcpus=0,
            used_ram_mib=0,
            used_disk_gib=0,
            seen_at=clock.now(),
            zones=tuple(zone.name for zone in zones.all_zones(tx)),
        )

    def _register_tiny_image(self, store: Database, clock: Clock) -> None:
        """Register the tiny image once; the simulated driver boots nothing and needs no bytes."""
        with store.read() as reader:
            known = deployment.value(reader, "tiny_image")
        if known is not None:
            self._tiny = known
            return
        source: Path | list[bytes]
        if self.host.driver == "libvirt":
            source = tiny_image.cached() or self._build_tiny_image()
        else:
            source = tiny_image.cached() or [bytes(_PLACEHOLDER)]
        image_id = clock.new_id()
        stored = self._images.add(image_id, source, "raw")
        now = clock.now()
        row = Image(
            id=image_id,
            name=TINY,
            project_id=None,
            status="active",
            visibility="public",
            protected=True,
            disk_format="raw",
            container_format="bare",
            size_bytes=stored.size,
            virtual_bytes=stored.virtual_size,
            checksum=stored.checksum,
            min_disk_gib=0,
            min_ram_mib=0,
            properties=_TINY_PROPERTIES,
            tags=[],
            created_at=now,
            updated_at=now,
        )
        with store.write() as tx:
            images.add(tx, row)
            deployment.set_value(tx, "tiny_image", image_id)
        self._tiny = image_id

    def _build_tiny_image(self) -> Path:
        self._say("hanok: building the tiny guest image, once; this takes some seconds")
        target = tiny_image.cache_path()
        tiny_image.build(target, progress=lambda line: self._say(f"hanok: {line}"))
        return target

    @property
    def host(self) -> Host:
        """This machine's row, as `prepare` left it."""
        assert self._host is not None  # noqa: S101 - prepare comes first
        return self._host

    def open(self, changed: Callable[[str], None]) -> MachineReport:
        """Behind the API: open the drivers, prove the host, measure it. Raises HanokError.

        `changed` is told of every domain whose power state may have changed.
        """
        if self.host.driver == "simulated":
            config = SimulatedConfig.from_dict(self._config.simulated)
            drivers = simulated.open_host(self._deployment, self._folder / "world", config)
        else:
            drivers = self._open_libvirt()
        try:
            drivers.compute.watch(changed)
            facts = drivers.compute.facts()
        except Exception:
            drivers.compute.close()
            raise
        host = replace(
            self.host,
            accel=facts.accel,
            state="up",
            vcpus=facts.vcpus * CPU_RATIO,
            ram_mib=max(facts.ram_mib - RAM_RESERVE_MIB, 0),
            disk_gib=DISK_LIMIT_GIB,
        )
        sentence = (
            f"host {host.name} joined: {facts.driver} ({facts.accel}), {facts.vcpus} CPUs, "
            f"{facts.ram_mib} MiB"
        )
        return MachineReport(host, drivers, sentence)

    def _open_libvirt(self) -> Drivers:
        """Let QEMU's user reach the disks, prove the accelerator, and connect."""
        from hanok.drivers import libvirt  # noqa: PLC0415 - needs Debian's python3-libvirt
        from hanok.drivers.libvirt import host_tree, kvm_probe  # noqa: PLC0415 - as above

        root = self._folder / "host"
        root.mkdir(mode=0o711, exist_ok=True)
        for folder in (root, self._images.root):
            host_tree.open_way(folder, self._config.state)
            closed = host_tree.check_reachable(folder)
            if closed is not None:
                raise HostError(closed)
        cache = image_cache.folder()  # what a machine can do is the same for every region on it
        cache.mkdir(parents=True, exist_ok=True)
        accel = kvm_probe.accel(self._images.path(self._tiny), cache / "accelerator.json")
        return libvirt.open_host(
            self._deployment, root, self._images, accel, self._config.libvirt_uri
        )

    def register(self, store: Database, host: Host) -> None:
        """Let the scheduler use the host."""
        with store.write() as tx:
            hosts.register(tx, host)
