"""`{"changePassword": {"adminPass": "…"}}`: in the guest, through its agent."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, begin
from hanok.model.errors import Invalid
from hanok.model.server import Server
from hanok.operations import change_password
from hanok.store.database import Transaction


def _act(call: Call, tx: Transaction, server: Server, body: Any) -> Answer:
    password = body.get("adminPass") if isinstance(body, dict) else None
    if not isinstance(password, str) or not 0 < len(password) <= 255:
        raise Invalid("Invalid input for field/attribute adminPass. It has 1 to 255 characters.")
    begin(call, tx, server, "changePassword")
    change_password.submit(tx, call.region.engine, server, password)
    return Answer(202)


ACTION = ServerAction("changePassword", _act)
