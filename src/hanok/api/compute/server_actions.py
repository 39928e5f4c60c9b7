"""`POST servers/{id}/action`: one key in the body names the action."""

from __future__ import annotations

from typing import Any

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.compute.actions import reboot, start, stop
from hanok.api.compute.actions.action import ServerAction
from hanok.api.compute.servers import find
from hanok.model.errors import Invalid

ACTIONS = {one.ACTION.key: one.ACTION for one in (start, stop, reboot)}


def _act(call: Call) -> Answer:
    body: dict[str, Any] = decode(call.body, dict[str, Any])
    if len(body) != 1:
        raise Invalid("Malformed request body: it names one action.")
    [(key, value)] = body.items()
    action: ServerAction | None = ACTIONS.get(key)
    if action is None:
        raise Invalid(f"There is no such action: {key}")
    with call.region.store.write() as tx:
        return action.act(call, tx, find(tx, call), value)


ENDPOINTS = (Endpoint("POST", "/v2/{tenant}/servers/{server}/action", _act, "servers:actions"),)
