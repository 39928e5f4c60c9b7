"""`{"os-resetState": {"state": "active"}}` or error: an administrator corrects what is shown."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction
from hanok.model.errors import Conflict, Invalid
from hanok.model.server import Server, VmState
from hanok.store import servers
from hanok.store.database import Transaction

_STATES = {"active": VmState.ACTIVE, "error": VmState.ERROR}


def _act(call: Call, tx: Transaction, server: Server, body: Any) -> Answer:
    """Put the row into a resting state: 202. Nothing is done to the guest.

    What runs on the server goes on, and says at its end where the server rests. A server that is
    on no host cannot be ACTIVE: there is nothing that could run.
    """
    wanted = body.get("state") if isinstance(body, dict) else None
    state = _STATES.get(wanted) if isinstance(wanted, str) else None
    if state is None:
        raise Invalid(
            "Invalid input for field/attribute state. Argument 'state' for os-resetState is active "
            "or error."
        )
    if state == VmState.ACTIVE and server.host_id is None:
        raise Conflict(
            f"Cannot reset the state of instance {server.id} to active: it is on no host."
        )
    now = call.region.clock.now()
    servers.change(tx, server.id, now, {"vm_state": state, "task_state": None})
    detail = {"state": state, "was": server.vm_state, "task": server.task_state}
    servers.record(tx, server.id, now, "state reset", detail)
    return Answer(202)


ACTION = ServerAction("os-resetState", _act, despite_lock=True, permission="servers:reset")
