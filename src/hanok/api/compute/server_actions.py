"""`POST servers/{id}/action`: one key in the body names the action."""

from __future__ import annotations

from typing import Any

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.compute.actions import (
    change_password,
    console_output,
    create_image,
    pause,
    reboot,
    resize,
    resume,
    security_groups,
    start,
    stop,
    suspend,
    unpause,
)
from hanok.api.compute.actions.action import ServerAction
from hanok.api.compute.servers import find
from hanok.model.errors import Invalid

ACTIONS: dict[str, ServerAction] = {
    action.key: action
    for action in (
        start.ACTION,
        stop.ACTION,
        reboot.ACTION,
        pause.ACTION,
        unpause.ACTION,
        suspend.ACTION,
        resume.ACTION,
        resize.RESIZE,
        resize.CONFIRM,
        resize.REVERT,
        create_image.ACTION,
        change_password.ACTION,
        security_groups.ADD,
        security_groups.REMOVE,
    )
}


def _act(call: Call) -> Answer:
    body: dict[str, Any] = decode(call.body, dict[str, Any])
    if len(body) != 1:
        raise Invalid("Malformed request body: it names one action.")
    [(key, value)] = body.items()
    if key == console_output.KEY:
        with call.region.store.read() as reader:
            server = find(reader, call)
        return console_output.output(call, server, value)
    action = ACTIONS.get(key)
    if action is None:
        raise Invalid(f"There is no such action: {key}")
    with call.region.store.write() as tx:
        return action.act(call, tx, find(tx, call), value)


ENDPOINTS = (Endpoint("POST", "/v2/{tenant}/servers/{server}/action", _act, "servers:actions"),)
