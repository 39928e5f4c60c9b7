"""`{"unrescue": null}`: boot a rescued server from its own disk again."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, begin
from hanok.model.server import Server
from hanok.operations import unrescue_server
from hanok.store.database import Transaction


def _act(call: Call, tx: Transaction, server: Server, _body: Any) -> Answer:
    begin(call, tx, server, "unrescue")
    unrescue_server.submit(tx, call.region.engine, server)
    return Answer(202)


ACTION = ServerAction("unrescue", _act)
