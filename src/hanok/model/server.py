"""A server: its states, and the status that a client sees.

Two small sets instead of one big product: `vm_state` is where the server rests, `task_state` what
is being done to it (both with Nova's words). `status` is computed from them and from whether the
host answers, never stored; the same table is turned round to answer `?status=`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class VmState(StrEnum):
    """Where a server rests."""

    BUILDING = "building"
    ACTIVE = "active"
    STOPPED = "stopped"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    RESCUED = "rescued"
    RESIZED = "resized"
    SHELVED = "shelved"
    SHELVED_OFFLOADED = "shelved_offloaded"
    ERROR = "error"
    DELETED = "deleted"


class TaskState(StrEnum):
    """What is being done to a server."""

    SCHEDULING = "scheduling"
    NETWORKING = "networking"
    SPAWNING = "spawning"
    DELETING = "deleting"
    POWERING_ON = "powering-on"
    POWERING_OFF = "powering-off"
    REBOOTING = "rebooting"
    REBOOTING_HARD = "rebooting_hard"
    PAUSING = "pausing"
    UNPAUSING = "unpausing"
    SUSPENDING = "suspending"
    RESUMING = "resuming"
    RESIZE_PREP = "resize_prep"
    RESIZE_REVERTING = "resize_reverting"
    SHELVING = "shelving"
    UNSHELVING = "unshelving"
    IMAGE_SNAPSHOT = "image_snapshot"
    REBUILDING = "rebuilding"
    RESCUING = "rescuing"
    UNRESCUING = "unrescuing"
    UPDATING_PASSWORD = "updating_password"  # noqa: S105 - Nova's word for a task


class LockedBy(StrEnum):
    """Whose lock keeps a server as it is."""

    OWNER = "owner"
    ADMIN = "admin"


UNKNOWN = "UNKNOWN"
_RESTING: Mapping[str, str] = {
    VmState.BUILDING: "BUILD",
    VmState.ACTIVE: "ACTIVE",
    VmState.STOPPED: "SHUTOFF",
    VmState.PAUSED: "PAUSED",
    VmState.SUSPENDED: "SUSPENDED",
    VmState.RESCUED: "RESCUE",
    VmState.RESIZED: "VERIFY_RESIZE",
    VmState.SHELVED: "SHELVED",
    VmState.SHELVED_OFFLOADED: "SHELVED_OFFLOADED",
    VmState.ERROR: "ERROR",
    VmState.DELETED: "DELETED",
}
_DURING: Mapping[tuple[str, str], str] = {
    (VmState.ACTIVE, TaskState.REBOOTING): "REBOOT",
    (VmState.ACTIVE, TaskState.UPDATING_PASSWORD): "PASSWORD",
    (VmState.ACTIVE, TaskState.RESIZE_PREP): "RESIZE",
    (VmState.STOPPED, TaskState.RESIZE_PREP): "RESIZE",
    (VmState.RESIZED, TaskState.RESIZE_REVERTING): "REVERT_RESIZE",
    (VmState.ACTIVE, TaskState.REBUILDING): "REBUILD",
    (VmState.STOPPED, TaskState.REBUILDING): "REBUILD",
    (VmState.ERROR, TaskState.REBUILDING): "REBUILD",
    **{
        (state, TaskState.REBOOTING_HARD): "HARD_REBOOT"
        for state in (
            VmState.ACTIVE,
            VmState.STOPPED,
            VmState.PAUSED,
            VmState.SUSPENDED,
            VmState.ERROR,
        )
    },
}
"""Where a task changes the status (Nova's map of vm_state and task_state)."""

_NEEDS_HOST = frozenset(
    {
        VmState.ACTIVE,
        VmState.STOPPED,
        VmState.PAUSED,
        VmState.SUSPENDED,
        VmState.RESCUED,
        VmState.RESIZED,
    }
)


def status(vm_state: str, task_state: str | None, *, answering: bool) -> str:
    """Return the status a client sees; UNKNOWN while the host of a made server is silent."""
    if not answering and vm_state in _NEEDS_HOST:
        return UNKNOWN
    if task_state is not None:
        during = _DURING.get((vm_state, task_state))
        if during is not None:
            return during
    return _RESTING[vm_state]


@dataclass(frozen=True, slots=True)
class StatusMatch:
    """One way to have a status: the vm_state, the tasks (None: any not listed elsewhere)."""

    vm_state: str
    tasks: frozenset[str] | None
    not_tasks: frozenset[str]
    answering: bool | None


def matches(wanted: str) -> list[StatusMatch]:
    """Turn the table round: every (vm_state, tasks, answering) that shows as `wanted`."""
    wanted = wanted.upper()
    if wanted == UNKNOWN:
        return [StatusMatch(state, None, frozenset(), False) for state in sorted(_NEEDS_HOST)]
    found = []
    for vm_state, resting in _RESTING.items():
        answering = True if vm_state in _NEEDS_HOST else None
        special = {task: s for (state, task), s in _DURING.items() if state == vm_state}
        if resting == wanted:
            found.append(StatusMatch(vm_state, None, frozenset(special), answering))
        tasks = frozenset(task for task, shown in special.items() if shown == wanted)
        if tasks and resting != wanted:
            found.append(StatusMatch(vm_state, tasks, frozenset(), answering))
    return found


@dataclass(frozen=True, slots=True)
class Server:
    """A server as stored; moments in microseconds, memory in MiB, disks in GiB."""

    id: str
    project_id: str
    user_id: str
    name: str
    flavor_id: str
    image_id: str | None
    key_name: str | None
    host_id: str | None
    availability_zone: str
    vm_state: str
    task_state: str | None
    power_state: int
    generation: int
    vcpus: int
    ram_mib: int
    root_gib: int
    ephemeral_gib: int
    config_drive: str
    metadata: dict[str, str]
    image_metadata: dict[str, str]
    reservation_id: str
    fault: dict[str, Any] | None
    resized: dict[str, Any] | None
    shelved: dict[str, Any] | None
    rescued: dict[str, Any] | None
    locked_by: str | None
    created_at: int
    updated_at: int
    launched_at: int | None
    terminated_at: int | None


@dataclass(frozen=True, slots=True)
class ServerDetail:
    """A server with what its view shows of other tables, from one statement.

    `nics`: {position, network, mac, address}; `groups`: {port, name}; `volumes`: {id, device}.
    """

    server: Server
    answering: bool
    nics: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    volumes: list[dict[str, Any]]

    @property
    def status(self) -> str:
        """The status a client sees."""
        return status(self.server.vm_state, self.server.task_state, answering=self.answering)
