"""`{"rescue": {"adminPass": "…", "rescue_image_ref": "…"}}`, or null: boot from another disk."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from hanok.api._body import convert
from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, begin
from hanok.api.compute.server_create import made_password
from hanok.model import lifecycle
from hanok.model.create_rules import needed_gib
from hanok.model.devices import ROOT
from hanok.model.errors import Invalid
from hanok.model.image import Image
from hanok.model.server import Server
from hanok.operations import rescue_server
from hanok.operations.intent import DiskIntent
from hanok.store import images
from hanok.store.database import Transaction

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _Body(msgspec.Struct, rename={"password": "adminPass"}):
    password: _Text | None = None
    rescue_image_ref: _Text | None = None


def _act(call: Call, tx: Transaction, server: Server, body: Any) -> Answer:
    """Answer 200 with the password that the rescue system will have.

    Nova before 2.87 refuses servers that boot from a volume. Every flavor of NHN Cloud's but U2
    does, and the guide lists RESCUE without an exception, so here both kinds are rescued.
    """
    asked = _Body() if body is None else convert(body, _Body, "rescue")
    lifecycle.check(lifecycle.ACTIONS["rescue"], server)
    lifecycle.check_made(lifecycle.ACTIONS["rescue"], server)
    image = _image(tx, server, asked.rescue_image_ref)
    disk = DiskIntent(
        disk_id=call.region.clock.new_id(),
        destination="local",
        # The image's own size, as Nova's: it lives no longer than the rescue.
        size_gib=max(1, needed_gib(image)),
        device=ROOT,
        boot_index=0,
        image_id=image.id,
        image_format=image.disk_format or "raw",
    )
    password = asked.password or made_password(call)
    begin(call, tx, server, "rescue")
    rescue_server.submit(tx, call.region.engine, server, disk, password)
    return Answer(200, {"adminPass": password})


def _image(tx: Transaction, server: Server, wanted: str | None) -> Image:
    """Return the image to boot from, by default the server's own; raises Invalid."""
    image_id = wanted or server.image_id or ""
    image = images.get(tx, image_id, server.project_id)
    if image is None:
        raise _not_rescuable(server, f"Image {image_id} could not be found.")
    if image.status != "active":
        raise _not_rescuable(server, f"Image {image.id} is not active.")
    if image.min_ram_mib > server.ram_mib:
        raise _not_rescuable(
            server, f"Image {image.id} needs {image.min_ram_mib} MB of RAM; it has less."
        )
    return image


def _not_rescuable(server: Server, why: str) -> Invalid:
    """Say why, in Nova's words (`InstanceNotRescuable`)."""
    return Invalid(f"Instance {server.id} cannot be rescued: {why}")


ACTION = ServerAction("rescue", _act)
