"""`{"lock": null}`, `{"unlock": null}`: keep a server as it is, and let it be changed again."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction
from hanok.model.errors import Forbidden
from hanok.model.server import LockedBy, Server
from hanok.store import servers
from hanok.store.database import Transaction


def _lock(call: Call, tx: Transaction, server: Server, _body: Any) -> Answer:
    """Lock: 202; an owner leaves an administrator's lock as it is (Nova).

    Whose lock it is goes by the caller's role. Nova goes by project; here an administrator often
    works in the tenant's own, and what he locks is not meant to be unlocked by the tenant.
    """
    if call.credentials.is_admin:
        _note(call, tx, server, LockedBy.ADMIN)
    elif server.locked_by is None:
        _note(call, tx, server, LockedBy.OWNER)
    return Answer(202)


def _unlock(call: Call, tx: Transaction, server: Server, _body: Any) -> Answer:
    """Unlock: 202, also what is not locked; an administrator's lock is his to open (403)."""
    if server.locked_by == LockedBy.ADMIN and not call.credentials.is_admin:
        raise Forbidden(
            "Policy doesn't allow os_compute_api:os-lock-server:unlock:unlock_override to be "
            "performed."
        )
    if server.locked_by is not None:
        _note(call, tx, server, None)
    return Answer(202)


def _note(call: Call, tx: Transaction, server: Server, locked_by: LockedBy | None) -> None:
    now = call.region.clock.now()
    servers.change(tx, server.id, now, {"locked_by": locked_by})
    name = "unlocked" if locked_by is None else "locked"
    servers.record(tx, server.id, now, name, {"user": call.credentials.user_id})


LOCK = ServerAction("lock", _lock, despite_lock=True)
UNLOCK = ServerAction("unlock", _unlock, despite_lock=True)
