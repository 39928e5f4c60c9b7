"""Make an image of a volume; a server that runs on it is held still while it is read."""

from __future__ import annotations

from dataclasses import dataclass

from hanok.engine.steps import ControlStep, Failure, Operation, Outcome, Planned, Submission, Work
from hanok.model.server import Server, VmState
from hanok.model.volume import Volume
from hanok.operations.create_image import EXPORT, GO_ON, HOLD_STILL, activate
from hanok.operations.submitter import Submitter
from hanok.store import images, servers, volumes
from hanok.store.database import Transaction

DURING = "uploading"


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to be made of what: `server` is the one that the volume is attached to, or None.

    `volume` is as it was before it was set `uploading`.
    """

    volume: Volume
    image_id: str
    disk_format: str
    server: Server | None


def submit(tx: Transaction, engine: Submitter, upload: Upload) -> None:
    """Submit the operation, with the image's row stored and the volume `uploading`."""
    volume, server = upload.volume, upload.server
    runs = server is not None and server.vm_state == VmState.ACTIVE
    subjects = [f"volume:{volume.id}", f"image:{upload.image_id}"]
    if server is not None:
        subjects.append(f"server:{server.id}")
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=volume.project_id,
            server_id=None if server is None else server.id,
            intent={
                "host_id": volume.host_id,
                "disk_id": volume.id,
                "image_id": upload.image_id,
                "disk_format": upload.disk_format,
                "runs": runs,
                "before": volume.status,
            },
            plan=tuple(
                Planned(step.name, step.name) for step in (KIND.steps if runs else (EXPORT, FINISH))
            ),
            subjects=tuple(subjects),
        ),
    )


def _finish(work: Work) -> None:
    activate(work)
    _give_back(work)


def _give_back(work: Work) -> None:
    """Let the volume be used again; one that was deleted with its server meanwhile is gone."""
    before = work.intent["before"]
    volumes.begin(work.tx, work.intent["disk_id"], before, (DURING,), work.now)


def _settle(work: Work, outcome: Outcome) -> None:
    """Take away the row of an image that could not be made, and say why on the server."""
    if outcome.state == "done":
        return
    images.remove(work.tx, work.intent["image_id"])
    _give_back(work)
    if work.server_id is not None and not outcome.cancelled:
        failure = outcome.failure or Failure("", "")
        detail = {"volume": work.intent["disk_id"], "message": failure.message}
        servers.record(work.tx, work.server_id, work.now, "image not made", detail)


FINISH = ControlStep("finish", _finish)
KIND = Operation(
    name="upload_volume",
    version=1,
    deadline=1800,
    settle=_settle,
    steps=(HOLD_STILL, EXPORT, GO_ON, FINISH),
)
