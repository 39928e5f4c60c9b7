"""What becomes of servers and volumes whose operation's journal cannot be carried on."""

from __future__ import annotations

from collections.abc import Sequence

from hanok.model.server import VmState
from hanok.operations.fault import fault
from hanok.store import servers, volumes
from hanok.store.database import Transaction

_RESTS = {
    "creating": "error",
    "deleting": "error_deleting",
    "attaching": "available",
    "detaching": "available",
    "uploading": "available",
}
"""Where a volume that is attached to nothing rests when what was done to it goes on no more."""


def parked(tx: Transaction, subjects: Sequence[str], reason: str, now: int) -> None:
    """Bring what the operation worked on to rest, so that it can be deleted; see `Submission`."""
    for subject in subjects:
        kind, _, subject_id = subject.partition(":")
        if kind == "server":
            _park_server(tx, subject_id, reason, now)
        elif kind == "volume":
            _park_volume(tx, subject_id, now)


def _park_server(tx: Transaction, server_id: str, reason: str, now: int) -> None:
    """Show the server as ERROR; the operator reads the reason."""
    server = servers.find(tx, server_id)
    if server is None or server.terminated_at is not None:
        return
    message = "An operation on the instance cannot be continued; delete it or ask for help."
    said = fault(message, reason, now)
    values = {"vm_state": VmState.ERROR, "task_state": None, "fault": said}
    servers.change(tx, server_id, now, values)
    servers.record(tx, server_id, now, "parked", {"reason": reason})


def _park_volume(tx: Transaction, volume_id: str, now: int) -> None:
    """Show a volume on its way as at rest; one that a domain may have can only be detached."""
    found = volumes.get(tx, None, volume_id)
    if found is None or found[0].status not in _RESTS:
        return
    volume, attachments = found
    rests = "in-use" if attachments else _RESTS[volume.status]
    volumes.set_status(tx, volume_id, rests, now)
