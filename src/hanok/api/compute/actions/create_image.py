"""Create Instance Image: `{"createImage": {"name": "…", "metadata": {…}}}`, of U2 servers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import msgspec

from hanok.api._body import convert, trimmed
from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, begin
from hanok.model.create_rules import check_items
from hanok.model.devices import ROOT
from hanok.model.errors import Invalid, QuotaExceeded
from hanok.model.image import Image
from hanok.model.server import Server, TaskState
from hanok.operations import create_image
from hanok.store import images, quotas, servers
from hanok.store.database import Transaction

_Text = Annotated[str, msgspec.Meta(max_length=255)]


class _Body(msgspec.Struct):
    name: _Text
    metadata: dict[str, str] | None = None


def _act(call: Call, tx: Transaction, server: Server, body: Any) -> Answer:
    asked = convert(body, _Body, "createImage")
    name, metadata = trimmed(asked.name), asked.metadata or {}
    check_items(metadata)
    if 0 <= quotas.limits_of(tx, server.project_id).metadata_items < len(metadata):
        raise QuotaExceeded("Image metadata limit exceeded")
    disks = [disk for disk in servers.local_disks_of(tx, server.id) if disk.device == ROOT]
    begin(call, tx, server, "createImage")
    if not disks:
        raise Invalid(
            "Images of instances on block storage are made by the block storage service's "
            "os-volume_upload_image; createImage is for U2 instances."
        )
    image = snapshot(call, tx, server, name, metadata)
    images.add(tx, image)
    marked = replace(server, task_state=TaskState.IMAGE_SNAPSHOT)
    create_image.submit(tx, call.region.engine, marked, disks[0].id, image.id)
    base = call.base.service(call.region.name, "image")
    location = f"{base}/v2/images/{image.id}"
    return Answer(202, headers={"Location": location})


def snapshot(
    call: Call, tx: Transaction, server: Server, name: str, properties: Mapping[str, str]
) -> Image:
    """Describe an image to be of a server: what is said of its own image goes on holding."""
    region, now = call.region, call.region.clock.now()
    source = images.get(tx, server.image_id, None) if server.image_id else None
    inherited = source.properties if source is not None else {}
    own = {"instance_uuid": server.id, "image_type": "snapshot"}
    return Image(
        id=region.clock.new_id(),
        name=name,
        project_id=server.project_id,
        status="queued",
        visibility="private",
        protected=False,
        disk_format=create_image.FORMAT,
        container_format="bare",
        size_bytes=None,
        virtual_bytes=None,
        checksum=None,
        min_disk_gib=server.root_gib,
        min_ram_mib=source.min_ram_mib if source is not None else 0,
        properties={**inherited, **properties, **own},
        tags=[],
        created_at=now,
        updated_at=now,
    )


ACTION = ServerAction("createImage", _act, despite_lock=True)
