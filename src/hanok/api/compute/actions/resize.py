"""Change Instance Flavor: `resize`, then `confirmResize` or `revertResize`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, begin
from hanok.api.dialects.dialect import Dialect
from hanok.model import lifecycle
from hanok.model.create_rules import check_memory
from hanok.model.devices import ROOT
from hanok.model.errors import Conflict, Invalid, QuotaExceeded
from hanok.model.flavor import Flavor
from hanok.model.moments import SECOND
from hanok.model.server import Server, TaskState
from hanok.operations import resize_server
from hanok.store import flavors, images, journal, quotas, servers
from hanok.store.database import Transaction

GRACE = 600 * SECOND
"""How long after a resize confirmed itself a client may still confirm it (a no-op)."""


def _resize(dialect: Dialect, call: Call, tx: Transaction, server: Server, body: Any) -> Answer:
    wanted = body.get("flavorRef") if isinstance(body, dict) else None
    if not isinstance(wanted, str | int) or isinstance(wanted, bool) or wanted == "":
        raise Invalid("Invalid input for field/attribute flavorRef. It names a flavor.")
    flavor = flavors.get(tx, str(wanted), server.project_id)
    if flavor is None:
        raise Invalid(f"Flavor {wanted} could not be found.")
    lifecycle.check(lifecycle.ACTIONS["resize"], server)
    _check(tx, server, flavor)
    image = images.get(tx, server.image_id, None) if server.image_id else None
    least = image.min_ram_mib if image is not None else 0
    check_memory(dialect.rules, flavor, least, server.image_metadata)
    _take_quota(tx, server, flavor)
    begin(call, tx, server, "resize")
    held = {"resized": resize_server.other_size(flavor)}
    servers.change(tx, server.id, call.region.clock.now(), held)
    resize_server.submit(tx, call.region.engine, _marked(server, TaskState.RESIZE_PREP), flavor)
    return Answer(202)


def _check(tx: Transaction, server: Server, new: Flavor) -> None:
    """Check the guide's rules: another flavor, and never to or from a U2 one.

    The disk tells a U2 server: its flavor may have been removed since.
    """
    if new.id == server.flavor_id:
        raise Invalid("When resizing, instances must change flavor!")
    local = any(disk.device == ROOT for disk in servers.local_disks_of(tx, server.id))
    if local or new.disk_gib > 0:
        raise Invalid(
            "Unable to resize: the flavors of U2 instances cannot be changed, and no instance can "
            "be changed to one."
        )


def _take_quota(tx: Transaction, server: Server, new: Flavor) -> None:
    quotas.lock(tx, server.project_id)
    limits = quotas.limits_of(tx, server.project_id)
    used = quotas.usage_of(tx, server.project_id)
    for name, limit, taken, more in (
        ("cores", limits.cores, used.cores, new.vcpus - server.vcpus),
        ("ram", limits.ram_mib, used.ram_mib, new.ram_mib - server.ram_mib),
    ):
        if more > 0 and 0 <= limit < taken + more:
            raise QuotaExceeded(
                f"Quota exceeded for {name}: Requested {more}, but already used {taken} of "
                f"{limit} {name}"
            )


def _marked(server: Server, task: TaskState) -> Server:
    """Return the server as the row shows it now."""
    return replace(server, task_state=task)


def _confirm(call: Call, tx: Transaction, server: Server, _body: Any) -> Answer:
    """Confirm: 204; once it has confirmed itself, a no-op for a while."""
    confirmed = (server.resized or {}).get("confirmed_at")
    if confirmed is not None and call.region.clock.now() - confirmed < GRACE:
        return Answer(204)
    lifecycle.check(lifecycle.ACTIONS["confirmResize"], server)
    if not _being_confirmed(tx, server):
        resize_server.submit_confirm(tx, call.region.engine, server)
    return Answer(204)


def _being_confirmed(tx: Transaction, server: Server) -> bool:
    """Tell whether a confirmation is in hand: Nova has no task state that would show it."""
    return any(
        operation.kind == resize_server.CONFIRM.kind and operation.ended_at is None
        for operation in journal.of_server(tx, server.id)
    )


def _revert(call: Call, tx: Transaction, server: Server, _body: Any) -> Answer:
    begin(call, tx, server, "revertResize")
    if _being_confirmed(tx, server):
        raise Conflict(
            f"Cannot 'revertResize' instance {server.id} while its resize is being confirmed"
        )
    task = TaskState.RESIZE_REVERTING
    resize_server.submit_revert(tx, call.region.engine, _marked(server, task))
    return Answer(202)


def resize(dialect: Dialect) -> ServerAction:
    """Return the action as a dialect has it: its rules of what a flavor must have."""
    return ServerAction("resize", partial(_resize, dialect))


CONFIRM = ServerAction("confirmResize", _confirm)
REVERT = ServerAction("revertResize", _revert)
