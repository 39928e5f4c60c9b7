"""`POST servers/{id}/action`: one key in the body names the action."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.compute.actions import (
    change_password,
    console_output,
    create_image,
    force_delete,
    lock,
    not_offered,
    pause,
    reboot,
    rebuild,
    rescue,
    reset_state,
    resize,
    resume,
    security_groups,
    shelve,
    start,
    stop,
    suspend,
    unpause,
    unrescue,
    unshelve,
    vnc_console,
)
from hanok.api.compute.actions.action import ServerAction, ServerQuestion
from hanok.api.compute.servers import find, find_to_change
from hanok.api.dialects.dialect import Dialect
from hanok.api.dialects.nhn import NHN
from hanok.model.errors import HanokError, Invalid, NotImplemented_
from hanok.policy.rules import authorize

QUESTIONS: dict[str, ServerQuestion] = {
    question.key: question for question in (console_output.QUESTION, vnc_console.QUESTION)
}


def actions(dialect: Dialect) -> dict[str, ServerAction]:
    """Return every action by its key, as a dialect has it."""
    return {
        action.key: action
        for action in (
            start.ACTION,
            stop.ACTION,
            reboot.ACTION,
            pause.ACTION,
            unpause.ACTION,
            suspend.ACTION,
            resume.ACTION,
            shelve.ACTION,
            unshelve.ACTION,
            resize.resize(dialect),
            resize.CONFIRM,
            resize.REVERT,
            create_image.ACTION,
            change_password.ACTION,
            rebuild.action(dialect),
            rescue.ACTION,
            unrescue.ACTION,
            security_groups.ADD,
            security_groups.REMOVE,
            lock.LOCK,
            lock.UNLOCK,
            reset_state.ACTION,
            force_delete.ACTION,
        )
    }


def _act(call: Call, known: Mapping[str, ServerAction]) -> Answer:
    body: dict[str, Any] = decode(call.body, dict[str, Any])
    if len(body) != 1:
        raise Invalid("Malformed request body: it names one action.")
    [(key, value)] = body.items()
    if key in QUESTIONS:
        with call.region.store.read() as reader:
            server = find(reader, call)
        return QUESTIONS[key].ask(call, server, value)
    action = known.get(key)
    if action is None:
        raise _unknown(key)
    if action.permission is not None:
        authorize(call.credentials, action.permission)
    with call.region.store.write() as tx:
        server = find_to_change(tx, call, despite_lock=action.despite_lock)
        return action.act(call, tx, server, value)


def _unknown(key: str) -> HanokError:
    why = not_offered.sentence(key)
    return Invalid(f"There is no such action: {key}") if why is None else NotImplemented_(why)


def endpoints(dialect: Dialect) -> tuple[Endpoint, ...]:
    """Return the actions' endpoint in one dialect."""
    path = f"{dialect.root}/{{tenant}}/servers/{{server}}/action"
    return (Endpoint("POST", path, partial(_act, known=actions(dialect)), "servers:actions"),)


ENDPOINTS = endpoints(NHN)
