"""Terminate Instance: `{"shelve": null}`; what it holds on its host is free, what it is stays."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, begin
from hanok.api.compute.actions.create_image import snapshot
from hanok.model.devices import ROOT
from hanok.model.server import Server
from hanok.operations import shelve_server
from hanok.store import images, servers
from hanok.store.database import Transaction

SUFFIX = "-shelved"
"""What Nova appends to the name of a server for that of the image which keeps its disk."""
_LONGEST = 255


def _act(call: Call, tx: Transaction, server: Server, _body: Any) -> Answer:
    begin(call, tx, server, "shelve")
    disk = _kept(call, tx, server)
    shelve_server.submit(tx, call.region.engine, server, disk, call.region.clock.now())
    return Answer(202)


def _kept(call: Call, tx: Transaction, server: Server) -> dict[str, Any] | None:
    """Store the image that will keep a server's own root disk; None for one on block storage."""
    for disk in servers.local_disks_of(tx, server.id):
        if disk.device == ROOT:
            name = server.name[: _LONGEST - len(SUFFIX)] + SUFFIX
            image = snapshot(call, tx, server, name, {})
            images.add(tx, image)
            return {
                "disk_id": disk.id,
                "device": disk.device,
                "size_gib": disk.size_gib,
                "image_id": image.id,
            }
    return None


ACTION = ServerAction("shelve", _act)
