"""Start Stopped Instance: `{"os-start": null}`."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, power_action
from hanok.model.server import Server
from hanok.operations import start_server
from hanok.store.database import Transaction


def _act(call: Call, tx: Transaction, server: Server, _body: Any) -> Answer:
    return power_action(call, tx, server, "start", start_server.KIND)


ACTION = ServerAction("os-start", _act)
