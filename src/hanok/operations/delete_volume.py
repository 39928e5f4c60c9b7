"""Delete a volume: its disk, then its row."""

from __future__ import annotations

from hanok.engine.steps import (
    ControlStep,
    HostCall,
    HostStep,
    Operation,
    Outcome,
    Planned,
    Retry,
    Submission,
    View,
    Work,
)
from hanok.model.volume import Volume
from hanok.operations.submitter import Submitter
from hanok.store import volumes
from hanok.store.database import Transaction

PATIENCE = Retry(times=10, first=0.5, factor=2.0, longest=30.0)


def submit(tx: Transaction, engine: Submitter, volume: Volume) -> None:
    """Submit the operation in the request's transaction, with the status already `deleting`."""
    engine.submit(tx, _submission(volume.project_id, volume.id, volume.host_id))


def submit_leftover(
    tx: Transaction, engine: Submitter, project_id: str, volume_id: str, host_id: str
) -> None:
    """Submit the removal of a disk that came to be on a host after its volume was deleted."""
    engine.submit(tx, _submission(project_id, volume_id, host_id))


def _submission(project_id: str, volume_id: str, host_id: str | None) -> Submission:
    return Submission(
        kind=KIND.kind,
        project_id=project_id,
        server_id=None,
        intent={"volume_id": volume_id, "host_id": host_id},
        plan=(Planned("delete_disk", "delete_disk"), Planned("forget", "forget")),
        subjects=(f"volume:{volume_id}",),
    )


def _delete_disk(view: View) -> HostCall | None:
    if view.intent["host_id"] is None:
        return None
    disk = {"disk_id": view.intent["volume_id"]}
    return HostCall(view.intent["host_id"], "storage.delete_disk", disk)


def _forget(work: Work) -> None:
    volumes.remove(work.tx, work.intent["volume_id"])


def _settle(work: Work, outcome: Outcome) -> None:
    """Show a disk that could not be deleted; deleting the volume again tries again."""
    if outcome.state != "done":
        volumes.set_status(work.tx, work.intent["volume_id"], "error_deleting", work.now)


KIND = Operation(
    name="delete_volume",
    version=1,
    deadline=3600,
    settle=_settle,
    steps=(
        HostStep("delete_disk", _delete_disk, timeout=60, retry=PATIENCE),
        ControlStep("forget", _forget, retry=PATIENCE),
    ),
)
