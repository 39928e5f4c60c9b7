"""`{"forceDelete": null}`: as DELETE, in every state; no server is kept for later here."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction
from hanok.api.compute.servers import begin_delete
from hanok.model.server import Server
from hanok.store.database import Transaction


def _act(call: Call, tx: Transaction, server: Server, _body: Any) -> Answer:
    begin_delete(call, tx, server)
    return Answer(202)


ACTION = ServerAction("forceDelete", _act, permission="servers:delete")
