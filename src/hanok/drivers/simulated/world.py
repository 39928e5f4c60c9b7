"""A simulated world from outside: what happens to a host behind the API's back.

For tests and demonstrations, in the driver's process or another. Nothing here asks whose an object
is, and everything shows in the driver's watch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from hanok.drivers.simulated.config import FaultPlan
from hanok.drivers.simulated.files import append
from hanok.drivers.simulated.files import replace as replace_file
from hanok.drivers.simulated.guest import boot_messages
from hanok.drivers.simulated.records import DomainRecord, WorldFiles
from hanok.model.errors import NotFound
from hanok.model.power import PowerState


class World:
    """A handle on the world in the folder `root`.

    What names a server that is not there raises NotFound.
    """

    def __init__(self, root: Path) -> None:
        self._files = WorldFiles(root)

    def crash(self, server_id: str) -> None:
        """Let the guest die: its domain is CRASHED."""
        self._turn(server_id, PowerState.CRASHED)

    def power_off(self, server_id: str) -> None:
        """Let somebody else destroy the domain (`virsh destroy`)."""
        self._turn(server_id, PowerState.SHUTDOWN)

    def power_on(self, server_id: str) -> None:
        """Let somebody else start the domain (`virsh start`)."""
        self._turn(server_id, PowerState.RUNNING)
        spec = self._domain(server_id).spec
        append(self._files.console(server_id), boot_messages(spec, bootable=True))

    def remove_domain(self, server_id: str) -> None:
        """Let somebody else undefine the domain, running or not."""
        with self._files.locked():
            self._files.drop_domain(self._domain(server_id))

    def remove_disk(self, disk_id: str) -> None:
        """Lose a disk, whoever holds it; absent is success."""
        with self._files.locked():
            self._files.disks.drop(disk_id)

    def remove_port(self, port_id: str) -> None:
        """Lose a tap; absent is success."""
        with self._files.locked():
            self._files.ports.drop(port_id)

    def restart_host(self) -> None:
        """Switch the whole host off and on: every domain is off, taps and networks are gone."""
        with self._files.locked():
            for network_id in self._files.networks.ids():
                self._files.networks.drop(network_id)
            for port_id in self._files.ports.ids():
                self._files.ports.drop(port_id)
            for server_id in self._files.domains.ids():
                self._put(self._domain(server_id), PowerState.SHUTDOWN)

    def write_console(self, server_id: str, content: bytes) -> None:
        """Let the guest write to its console."""
        with self._files.locked():
            self._domain(server_id)
            append(self._files.console(server_id), content)

    def inject(self, faults: FaultPlan | Mapping[str, Any]) -> None:
        """Put a fault plan into force, in running processes too; raise Invalid if it is none."""
        plan = faults if isinstance(faults, FaultPlan) else FaultPlan.from_dict(faults)
        known = FaultPlan(plan.seed, plan.delays, plan.failures, plan.shutdown_s)
        with self._files.locked():
            replace_file(self._files.faults, msgspec.json.encode(known))

    def withdraw(self) -> None:
        """Go back to the configured fault plan."""
        with self._files.locked():
            self._files.faults.unlink(missing_ok=True)

    def contents(self) -> dict[str, dict[str, Any]]:
        """Return every object: kind ("domains", "disks", …, "consoles") to id to its content.

        Two worlds of equal contents are equal to every driver.
        """
        files = self._files
        with files.locked():
            found: dict[str, dict[str, Any]] = {
                folder.path.name: {
                    object_id: msgspec.to_builtins(record) for object_id, record in folder.all()
                }
                for folder in (files.domains, files.disks, files.networks, files.ports)
            }
            found["consoles"] = {log.stem: log.read_bytes() for log in files.consoles.iterdir()}
        return found

    def _domain(self, server_id: str) -> DomainRecord:
        record = self._files.domains.get(server_id)
        if record is None:
            raise NotFound(f"The world has no server {server_id}.")
        return record

    def _turn(self, server_id: str, power_state: PowerState) -> None:
        with self._files.locked():
            self._put(self._domain(server_id), power_state)

    def _put(self, record: DomainRecord, power_state: PowerState) -> None:
        self._files.put_domain(replace(record, power_state=power_state, asked_at=None, off_at=None))
