"""What a simulated world holds: one record for each object, with the deployment that it is of."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from hanok.drivers.base import Disk, DomainSpec, NetworkSpec, PortSpec
from hanok.drivers.simulated.files import Changes, Folder, locked
from hanok.model.power import PowerState


@dataclass(frozen=True, slots=True)
class DomainRecord:
    """A domain. `asked_at` and `off_at` stand while its guest shuts down.

    Both are seconds of the machine's monotonic clock, which goes on while no process looks.
    """

    deployment_id: str
    spec: DomainSpec
    power_state: PowerState = PowerState.SHUTDOWN
    asked_at: float | None = None
    off_at: float | None = None

    def holds(self, disk_id: str) -> bool:
        """Whether the disk is one of the domain's."""
        return any(held.disk.disk_id == disk_id for held in self.spec.disks)

    def power_state_at(self, moment: float) -> PowerState:
        """Return the power state, with a shutdown that has come to its end."""
        return PowerState.SHUTDOWN if self.is_down_at(moment) else self.power_state

    def is_down_at(self, moment: float) -> bool:
        """Whether the guest has finished shutting down."""
        if self.off_at is None or self.asked_at is None:
            return False
        # A clock that stands before the question: the machine was started anew since.
        return moment >= self.off_at or moment < self.asked_at


@dataclass(frozen=True, slots=True)
class DiskRecord:
    """A disk. `held_by` is the domain that last took it, which may have let it go since."""

    deployment_id: str
    disk: Disk
    image_id: str | None
    written_bytes: int
    held_by: str | None = None


@dataclass(frozen=True, slots=True)
class NetworkRecord:
    """A network."""

    deployment_id: str
    network: NetworkSpec


@dataclass(frozen=True, slots=True)
class PortRecord:
    """A plugged port and its tap."""

    deployment_id: str
    port: PortSpec
    tap: str


class WorldFiles:
    """The folders of a world; opening them makes what is absent."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.domains = Folder(root / "domains", DomainRecord)
        self.disks = Folder(root / "disks", DiskRecord)
        self.networks = Folder(root / "networks", NetworkRecord)
        self.ports = Folder(root / "ports", PortRecord)
        self.consoles = root / "consoles"
        self.consoles.mkdir(mode=0o700, exist_ok=True)
        self.changes = Changes(root / "changes.log")
        self.faults = root / "faults.json"
        self._lock = root / "lock"

    def locked(self) -> AbstractContextManager[None]:
        """Hold the world's lock; every change is made under it."""
        return locked(self._lock)

    def console(self, server_id: str) -> Path:
        """Where a domain's console log lies."""
        return self.consoles / self.domains.file(server_id).with_suffix(".log").name

    def put_domain(self, record: DomainRecord) -> None:
        """Write a domain and tell whoever watches; call it under the lock."""
        self.domains.put(record.spec.server_id, record)
        self.changes.append(record.deployment_id, record.spec.server_id)

    def drop_domain(self, record: DomainRecord) -> None:
        """Remove a domain with its console log and tell whoever watches; under the lock."""
        self.console(record.spec.server_id).unlink(missing_ok=True)
        self.domains.drop(record.spec.server_id)
        self.changes.append(record.deployment_id, record.spec.server_id)

    def holder(self, record: DiskRecord) -> str | None:
        """Return the domain that holds the disk, None when it is free."""
        domain = self.domains.get(record.held_by) if record.held_by else None
        return record.held_by if domain and domain.holds(record.disk.disk_id) else None

    def sweep(self) -> None:
        """Remove what writers that died have left."""
        with self.locked():
            for folder in (self.domains, self.disks, self.networks, self.ports):
                folder.sweep()
