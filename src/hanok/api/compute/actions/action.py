"""What an action is to the API: its key in the body, and what a request with it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hanok.api._call import Answer, Call
from hanok.model import lifecycle
from hanok.model.server import Server
from hanok.operations import power
from hanok.store import servers
from hanok.store.database import Transaction


@dataclass(frozen=True, slots=True)
class ServerAction:
    """An action: `key` names it in the body; `act` checks and submits it in one transaction.

    `act` gets the call, the transaction, the server and the value beside the key. With
    `despite_lock` a locked server's owner may do it, too. `permission` names the row of
    `policy.rules` that the caller must pass beside the endpoint's.
    """

    key: str
    act: Callable[[Call, Transaction, Server, Any], Answer]
    despite_lock: bool = False
    permission: str | None = None


@dataclass(frozen=True, slots=True)
class ServerQuestion:
    """A read-only question to a server's host, put to it outside any transaction.

    `ask` gets the call, the server and the value beside the key; it raises Conflict for a server
    that has no answer, HostUnreachable (503) when its host is silent.
    """

    key: str
    ask: Callable[[Call, Server, Any], Answer]


def begin(call: Call, tx: Transaction, server: Server, name: str) -> lifecycle.Action:
    """Check an action against the lifecycle table and show that it is under way."""
    action = lifecycle.ACTIONS[name]
    lifecycle.check(action, server)
    servers.change(tx, server.id, call.region.clock.now(), {"task_state": action.during})
    return action


def power_action(
    call: Call, tx: Transaction, server: Server, name: str, kind: power.Kind
) -> Answer:
    """Begin an action that is one of the power operations: 202."""
    action = begin(call, tx, server, name)
    lifecycle.check_made(action, server)
    power.submit(tx, call.region.engine, kind, action, server)
    return Answer(202)
