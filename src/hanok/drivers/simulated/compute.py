"""Simulated domains and their guests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

from hanok.drivers.base import Domain, DomainSpec, HostFacts
from hanok.drivers.simulated.actions import OFF, SimulatedActions, off, permanent
from hanok.drivers.simulated.config import SimulatedConfig
from hanok.drivers.simulated.faults import Faults, with_faults
from hanok.drivers.simulated.files import append
from hanok.drivers.simulated.guest import boot_messages
from hanok.drivers.simulated.records import DomainRecord, WorldFiles
from hanok.drivers.simulated.watcher import Watcher
from hanok.model.power import PowerState


class SimulatedCompute(SimulatedActions):
    """The compute driver of one deployment in a simulated world."""

    part = "compute"

    def __init__(
        self, deployment_id: str, files: WorldFiles, config: SimulatedConfig, faults: Faults
    ) -> None:
        super().__init__(deployment_id, files, faults, Watcher(deployment_id, files))
        self._config = config
        self._settle_all()

    @with_faults
    def facts(self) -> HostFacts:
        """Return what the configuration says."""
        config = self._config
        return HostFacts(
            driver="simulated",
            accel="simulated",
            vcpus=config.vcpus,
            ram_mib=config.ram_mib,
            disk_gib=config.disk_gib,
        )

    @with_faults
    def define(self, spec: DomainSpec) -> None:
        """Write the domain down; see the protocol.

        A disk that another domain has is refused for good; what is absent is found at the start.
        """
        with self._files.locked():
            there = self._settled(spec.server_id)
            if there is None and self._files.domains.get(spec.server_id) is not None:
                raise permanent("The server's id is taken on this host.", spec.server_id)
            if there is not None and there.spec == spec:
                return
            if there is not None and there.power_state not in OFF:
                raise permanent(
                    "The server cannot be changed while it runs.",
                    f"{spec.server_id} is {there.power_state.name}",
                )
            for held in spec.disks:
                disk = self._files.disks.get(held.disk.disk_id)
                if disk is not None:
                    self._take(disk, spec.server_id)
            self._put(DomainRecord(self._deployment_id, spec))

    @with_faults
    def start(self, server_id: str) -> None:
        """Boot the guest; a disk or tap that is not there is a permanent error."""
        with self._files.locked():
            record = self._settled(server_id)
            if record is None:
                raise permanent("The server is not on this host.", server_id)
            if record.power_state == PowerState.SUSPENDED:
                self._put(replace(record, power_state=PowerState.RUNNING))
                return
            if record.power_state not in OFF:
                return
            for port in record.spec.ports:
                plugged = self._files.ports.get(port.port_id)
                if plugged is None or plugged.tap != port.tap:
                    raise permanent("A port of the server is not plugged in.", port.port_id)
            bootable = self._take_disks(record.spec)
            append(self._files.console(server_id), boot_messages(record.spec, bootable))
            self._put(replace(record, power_state=PowerState.RUNNING))

    @with_faults
    def shut_down(self, server_id: str) -> None:
        """Let the guest go down, in the time that the fault plan gives."""
        seconds = self.faults.shutdown_time()
        with self._files.locked():
            record = self._settled(server_id)
            if record is None or record.power_state in OFF or record.off_at is not None:
                return
            moment = time.monotonic()
            self._put(replace(record, asked_at=moment, off_at=moment + seconds))
            self._settled(server_id)

    @with_faults
    def power_off(self, server_id: str) -> None:
        """Switch the guest off at once."""
        with self._files.locked():
            record = self._settled(server_id)
            if record is not None and record.power_state not in OFF:
                self._put(off(record))

    @with_faults
    def power_state(self, server_id: str) -> PowerState:
        """Look at the record; NOSTATE when there is none of this deployment."""
        record = self._own(server_id)
        if record is None:
            return PowerState.NOSTATE
        return record.power_state_at(time.monotonic())

    @with_faults
    def delete(self, server_id: str) -> None:
        """Remove the record and the console log."""
        with self._files.locked():
            record = self._own(server_id)
            if record is not None:
                self._files.drop_domain(record)
                self._watcher.look()

    @with_faults
    def list_domains(self) -> list[Domain]:
        """List the domains of this deployment."""
        moment = time.monotonic()
        return [
            Domain(server_id, record.power_state_at(moment))
            for server_id, record in self._files.domains.all()
            if record.deployment_id == self._deployment_id
        ]

    @with_faults
    def console_log(self, server_id: str, max_bytes: int) -> bytes:
        """Return the end of the console log; of a domain that never ran, nothing."""
        if max_bytes <= 0:
            return b""
        with self._files.locked():
            if self._settled(server_id) is None:
                return b""
            try:
                log = self._files.console(server_id).open("rb")
            except FileNotFoundError:
                return b""
        with log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - max_bytes))
            return log.read(max_bytes)

    @with_faults
    def screen_url(self, server_id: str) -> str:
        """Name the simulated screen: nothing listens there, and the scheme says so."""
        record = self._own(server_id)
        state = PowerState.NOSTATE if record is None else record.power_state_at(time.monotonic())
        if state not in {PowerState.RUNNING, PowerState.PAUSED}:
            raise permanent("The server does not run.", server_id)
        return f"vnc+simulated:///{server_id}"

    def watch(self, changed: Callable[[str], None]) -> None:
        """Call `changed(server_id)` for what this driver or anybody else does to a domain."""
        self._watcher.listen(changed)

    def close(self) -> None:
        """End the watch and every simulated delay."""
        self.faults.close()
        self._watcher.close()

    def _settle_all(self) -> None:
        """Write every ended shutdown down, so that the clock of an earlier boot means nothing."""
        with self._files.locked():
            for server_id in self._files.domains.ids():
                self._settled(server_id)

    def _take_disks(self, spec: DomainSpec) -> bool:
        """Take every disk for the domain; say whether there is a system on the one to boot."""
        images: dict[int, str | None] = {}
        for held in spec.disks:
            disk = self._files.disks.get(held.disk.disk_id)
            if disk is None or disk.deployment_id != self._deployment_id:
                raise permanent("A disk of the server is not there.", held.disk.disk_id)
            self._take(disk, spec.server_id)
            if held.boot_index is not None:
                images[held.boot_index] = disk.image_id
        return bool(images) and images[min(images)] is not None
