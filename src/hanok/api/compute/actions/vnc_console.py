"""`{"os-getVNCConsole": {"type": "novnc"}}`: the address of the guest's screen."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerQuestion
from hanok.model.errors import Conflict, HostError, HostUnreachable, Invalid
from hanok.model.server import Server

DEADLINE = 5.0
TYPES = ("novnc", "xvpvnc")


def _screen(call: Call, server: Server, body: Any) -> Answer:
    """Answer 200 with the screen's own address, whatever the type: there is no proxy before it.

    docs/how-to/see-a-guests-screen.md tells what the address is and how a person uses it.
    """
    kind = body.get("type") if isinstance(body, dict) else None
    if not isinstance(kind, str) or kind not in TYPES:
        raise Invalid(
            "Invalid input for field/attribute type. Argument 'type' for os-getVNCConsole is novnc "
            "or xvpvnc."
        )
    if server.host_id is None:
        raise _not_ready(server)
    arguments = {"server_id": server.id}
    try:
        url = call.region.hosts.query(server.host_id, "compute.screen_url", arguments, DEADLINE)
    except HostUnreachable:
        raise
    except HostError as error:
        if not error.permanent:
            raise
        raise _not_ready(server) from error
    return Answer(200, {"console": {"type": kind, "url": url}})


def _not_ready(server: Server) -> Conflict:
    return Conflict(f"Instance {server.id} is not ready")


QUESTION = ServerQuestion("os-getVNCConsole", _screen)
