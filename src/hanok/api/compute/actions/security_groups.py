"""Add Security Group, Delete Security Group: on every port of the server, at once."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction
from hanok.model.errors import Invalid, NotFound
from hanok.model.server import Server
from hanok.store import ports, security_groups, servers
from hanok.store.database import Transaction


def _name(body: Any) -> str:
    name = body.get("name") if isinstance(body, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise Invalid("Invalid input for field/attribute name. It names a security group.")
    return name


def _add(call: Call, tx: Transaction, server: Server, body: Any) -> Answer:
    """Join every port; a server that has none, or none yet, is a 404 (Nova): nothing would be done.

    Its create would give its ports the groups that it was asked for.
    """
    group = security_groups.find(tx, server.project_id, _name(body))
    having = ports.of_server(tx, server.id)
    if not having:
        raise NotFound(f"instance_id {server.id} could not be found as device id on any ports")
    for port in having:
        if group.id not in port.group_ids:
            security_groups.join(tx, port.id, group.id)
    _note(call, tx, server, {group.id}, set())
    return Answer(202)


def _remove(call: Call, tx: Transaction, server: Server, body: Any) -> Answer:
    name = _name(body)
    group = security_groups.find(tx, server.project_id, name)
    having = [port for port in ports.of_server(tx, server.id) if group.id in port.group_ids]
    if not having:
        raise NotFound(f"Security group {name} not associated with the instance {server.id}")
    for port in having:
        security_groups.leave(tx, port.id, group.id)
    _note(call, tx, server, set(), {group.id})
    return Answer(202)


def _note(call: Call, tx: Transaction, server: Server, added: set[str], removed: set[str]) -> None:
    """Note a change of the server's groups for the ports that its create has still to make."""
    values: dict[str, Any] = {}
    made = servers.made_from(tx, server.id)
    if made is not None:
        groups = set(made[0]["group_ids"]) - removed | added
        values["intent"] = {**made[0], "group_ids": sorted(groups)}
    servers.change(tx, server.id, call.region.clock.now(), values)


ADD = ServerAction("addSecurityGroup", _add, despite_lock=True)
REMOVE = ServerAction("removeSecurityGroup", _remove, despite_lock=True)
