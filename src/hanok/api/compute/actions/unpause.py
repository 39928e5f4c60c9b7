"""`{"unpause": null}`: let a paused server go on."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, power_action
from hanok.model.server import Server
from hanok.operations import unpause_server
from hanok.store.database import Transaction


def _act(call: Call, tx: Transaction, server: Server, _body: Any) -> Answer:
    return power_action(call, tx, server, "unpause", unpause_server.KIND)


ACTION = ServerAction("unpause", _act)
