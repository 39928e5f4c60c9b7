"""`{"suspend": null}`: suspend a server: its memory goes to disk, its host's is free."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, power_action
from hanok.model.server import Server
from hanok.operations import suspend_server
from hanok.store.database import Transaction


def _act(call: Call, tx: Transaction, server: Server, _body: Any) -> Answer:
    return power_action(call, tx, server, "suspend", suspend_server.KIND)


ACTION = ServerAction("suspend", _act)
