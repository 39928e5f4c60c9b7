"""What is done to a simulated domain that is there: held still, saved, resized, given disks."""

from __future__ import annotations

import time
from dataclasses import replace

from hanok.drivers.base import DomainDisk
from hanok.drivers.simulated.faults import Faults, Misbehaving, with_faults
from hanok.drivers.simulated.files import append
from hanok.drivers.simulated.guest import shutdown_messages
from hanok.drivers.simulated.records import DiskRecord, DomainRecord, WorldFiles
from hanok.drivers.simulated.watcher import Watcher
from hanok.model.errors import HostError
from hanok.model.power import PowerState

OFF = frozenset({PowerState.SHUTDOWN, PowerState.CRASHED})


class SimulatedActions(Misbehaving):
    """The actions on domains of one deployment."""

    def __init__(
        self, deployment_id: str, files: WorldFiles, faults: Faults, watcher: Watcher
    ) -> None:
        super().__init__(faults)
        self._deployment_id = deployment_id
        self._files = files
        self._watcher = watcher

    @with_faults
    def pause(self, server_id: str) -> None:
        """Hold the guest still."""
        self._turn(server_id, PowerState.RUNNING, PowerState.PAUSED)

    @with_faults
    def unpause(self, server_id: str) -> None:
        """Let the guest go on."""
        self._turn(server_id, PowerState.PAUSED, PowerState.RUNNING)

    @with_faults
    def suspend(self, server_id: str) -> None:
        """Save the guest's memory."""
        self._turn(server_id, PowerState.RUNNING, PowerState.SUSPENDED)

    @with_faults
    def resize(self, server_id: str, vcpus: int, ram_mib: int) -> None:
        """Write the new size down."""
        with self._files.locked():
            record = self._present(server_id)
            spec = replace(record.spec, vcpus=vcpus, ram_mib=ram_mib)
            if spec == record.spec:
                return
            if record.power_state not in OFF:
                raise permanent("The server cannot be changed while it runs.", server_id)
            self._put(replace(record, spec=spec))

    @with_faults
    def attach_disk(self, server_id: str, disk: DomainDisk) -> None:
        """Write the disk down among the domain's."""
        with self._files.locked():
            record = self._present(server_id)
            if record.holds(disk.disk.disk_id):
                return
            found = self._files.disks.get(disk.disk.disk_id)
            if found is None or found.deployment_id != self._deployment_id:
                raise permanent("A disk of the server is not there.", disk.disk.disk_id)
            self._take(found, server_id)
            spec = replace(record.spec, disks=(*record.spec.disks, disk))
            self._put(replace(record, spec=spec))

    @with_faults
    def detach_disk(self, server_id: str, disk_id: str) -> None:
        """Take the disk from among the domain's."""
        with self._files.locked():
            record = self._settled(server_id)
            if record is None or not record.holds(disk_id):
                return
            kept = tuple(held for held in record.spec.disks if held.disk.disk_id != disk_id)
            self._put(replace(record, spec=replace(record.spec, disks=kept)))
            found = self._files.disks.get(disk_id)
            if found is not None and found.held_by == server_id:
                self._files.disks.put(disk_id, replace(found, held_by=None))

    @with_faults
    def set_password(self, server_id: str, user: str, password: str) -> None:
        """Note in the guest's console that it was done, never what it is."""
        del password
        with self._files.locked():
            record = self._present(server_id)
            if record.power_state != PowerState.RUNNING:
                raise HostError("The guest does not answer.", detail=server_id)
            append(self._files.console(server_id), f"passwd: changed for {user}\n".encode())

    def _turn(self, server_id: str, start: PowerState, end: PowerState) -> None:
        """Bring a domain from one power state to another; there already is success."""
        with self._files.locked():
            record = self._present(server_id)
            if record.power_state == end:
                return
            if record.power_state != start:
                raise permanent(
                    "The server is not in the state for it.",
                    f"{server_id} is {record.power_state.name}",
                )
            # A guest that is held still goes on with nothing, and has forgotten what it was asked.
            self._put(replace(record, power_state=end, asked_at=None, off_at=None))

    def _present(self, server_id: str) -> DomainRecord:
        record = self._settled(server_id)
        if record is None:
            raise permanent("The server is not on this host.", server_id)
        return record

    def _own(self, server_id: str) -> DomainRecord | None:
        record = self._files.domains.get(server_id)
        return record if record and record.deployment_id == self._deployment_id else None

    def _settled(self, server_id: str) -> DomainRecord | None:
        """Return the record, after writing down a shutdown that has come to its end."""
        record = self._own(server_id)
        if record is None or not record.is_down_at(time.monotonic()):
            return record
        settled = off(record)
        append(self._files.console(server_id), shutdown_messages())
        self._put(settled)
        return settled

    def _put(self, record: DomainRecord) -> None:
        self._files.put_domain(record)
        self._watcher.look()

    def _take(self, disk: DiskRecord, server_id: str) -> None:
        holder = self._files.holder(disk)
        disk_id = disk.disk.disk_id
        if holder not in {None, server_id}:
            raise permanent("A disk of the server is in use.", f"{disk_id} is held by {holder}")
        if disk.held_by != server_id:
            self._files.disks.put(disk_id, replace(disk, held_by=server_id))


def off(record: DomainRecord) -> DomainRecord:
    """Return the record of a domain that is switched off."""
    return replace(record, power_state=PowerState.SHUTDOWN, asked_at=None, off_at=None)


def permanent(message: str, detail: str) -> HostError:
    """Make a failure that the same call would meet again."""
    return HostError(message, detail=detail, permanent=True)
