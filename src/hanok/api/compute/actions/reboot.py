"""Restart Instance: `{"reboot": {"type": "SOFT"}}` or HARD, also in small letters."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, power_action
from hanok.model.errors import Invalid
from hanok.model.server import Server
from hanok.operations import reboot_server
from hanok.store.database import Transaction

TYPES = ("HARD", "Hard", "hard", "SOFT", "Soft", "soft")
"""The spellings that Nova takes."""


def _act(call: Call, tx: Transaction, server: Server, body: Any) -> Answer:
    kind = body.get("type") if isinstance(body, dict) else None
    if not isinstance(kind, str) or kind not in TYPES:
        raise Invalid(
            "Invalid input for field/attribute type. Argument 'type' for reboot is HARD or SOFT."
        )
    if kind.upper() == "SOFT":
        return power_action(call, tx, server, "reboot", reboot_server.SOFT)
    return power_action(call, tx, server, "hard reboot", reboot_server.HARD)


ACTION = ServerAction("reboot", _act)
