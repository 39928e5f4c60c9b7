"""Create a volume: a host for it, then its disk, blank or from an image."""

from __future__ import annotations

from typing import Any

from hanok.engine.steps import (
    ControlStep,
    HostCall,
    HostStep,
    Operation,
    Outcome,
    Planned,
    Submission,
    View,
    Work,
)
from hanok.model.host import Claim
from hanok.model.volume import Volume
from hanok.operations import place
from hanok.operations.submitter import Submitter
from hanok.placement.filters import Wanted
from hanok.store import volumes
from hanok.store.database import Transaction


def submit(tx: Transaction, engine: Submitter, volume: Volume, image_format: str | None) -> None:
    """Submit the operation in the request's transaction, with the row already `creating`."""
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=volume.project_id,
            server_id=None,
            intent={
                "volume_id": volume.id,
                "size_gib": volume.size_gib,
                "zone": volume.availability_zone,
                "image_id": volume.image_id,
                "image_format": image_format,
            },
            plan=(
                Planned("place", "place"),
                Planned("make_disk", f"make:{volume.id}"),
                Planned("finish", "finish"),
            ),
            subjects=(f"volume:{volume.id}",),
        ),
    )


def _place(work: Work) -> dict[str, Any]:
    """Choose a host of the volume's zone; a disk takes no CPU and no memory."""
    wanted = Wanted(Claim(0, 0, work.intent["size_gib"]), work.intent["zone"])
    host = place.candidates(work, wanted)[0]
    volumes.put_on(work.tx, work.intent["volume_id"], host.id, work.now)
    return {"host_id": host.id}


def _make_disk(view: View) -> HostCall:
    spec = {
        "disk_id": view.intent["volume_id"],
        "size_gib": view.intent["size_gib"],
        "image_id": view.intent["image_id"],
        "image_format": view.intent["image_format"],
    }
    return HostCall(view.results["place"]["host_id"], "storage.create_disk", {"spec": spec})


def _delete_disk(view: View) -> HostCall | None:
    if "place" not in view.results:
        return None
    disk = {"disk_id": view.intent["volume_id"]}
    return HostCall(view.results["place"]["host_id"], "storage.delete_disk", disk)


def _finish(work: Work) -> None:
    volumes.set_status(work.tx, work.intent["volume_id"], "available", work.now)


def _settle(work: Work, outcome: Outcome) -> None:
    if outcome.state != "done":
        volumes.set_status(work.tx, work.intent["volume_id"], "error", work.now)


KIND = Operation(
    name="create_volume",
    version=1,
    deadline=600,
    settle=_settle,
    steps=(
        ControlStep("place", _place, read=place.snapshot),
        HostStep("make_disk", _make_disk, _delete_disk, timeout=60),
        ControlStep("finish", _finish),
    ),
)
