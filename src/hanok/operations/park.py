"""What becomes of a server whose operation's journal cannot be carried on."""

from __future__ import annotations

from hanok.model.server import VmState
from hanok.operations.fault import fault
from hanok.store import servers
from hanok.store.database import Transaction


def parked(tx: Transaction, server_id: str, reason: str, now: int) -> None:
    """Show the server as ERROR, so that it can be deleted; the operator reads the reason."""
    server = servers.find(tx, server_id)
    if server is None or server.terminated_at is not None:
        return
    message = "An operation on the instance cannot be continued; delete it or ask for help."
    said = fault(message, reason, now)
    values = {"vm_state": VmState.ERROR, "task_state": None, "fault": said}
    servers.change(tx, server_id, now, values)
    servers.record(tx, server_id, now, "parked", {"reason": reason})
