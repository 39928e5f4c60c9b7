"""Start Terminated Instance: `{"unshelve": null}`, or with an `availability_zone` (Terraform)."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, begin
from hanok.model.errors import Invalid
from hanok.model.server import Server
from hanok.operations import unshelve_server
from hanok.store import volumes, zones
from hanok.store.database import Reader, Transaction


def _act(call: Call, tx: Transaction, server: Server, body: Any) -> Answer:
    begin(call, tx, server, "unshelve")
    wanted = body.get("availability_zone") if isinstance(body, dict) else None
    zone = server.availability_zone if wanted is None else _zone(tx, server, wanted)
    unshelve_server.submit(tx, call.region.engine, server, zone)
    return Answer(202)


def _zone(reader: Reader, server: Server, wanted: Any) -> str:
    """Check the zone that is asked for: block storage stays in its own, and so does its server."""
    if not isinstance(wanted, str):
        raise Invalid("Invalid input for field/attribute availability_zone. It names a zone.")
    if wanted == server.availability_zone:
        return wanted
    if wanted not in {zone.name for zone in zones.all_zones(reader) if zone.available}:
        raise Invalid("The requested availability zone is not available")
    if volumes.of_server(reader, server.id):
        raise Invalid(
            f"Instance {server.id} has block storage in availability zone "
            f"{server.availability_zone} and can be unshelved only there."
        )
    return wanted


ACTION = ServerAction("unshelve", _act)
