"""Resize a server: stop it, give it its new size, start it; then confirm or take it back.

Until the resize is confirmed the host holds room for both sizes, and the row says the other one:
first what the server is to be, then what it was. The project's quota counts the larger.
"""

from __future__ import annotations

from typing import Any

from hanok.engine.steps import (
    ControlStep,
    HostCall,
    HostStep,
    Operation,
    Outcome,
    Planned,
    Submission,
    View,
    Work,
)
from hanok.model.flavor import Flavor
from hanok.model.host import Claim
from hanok.model.power import PowerState
from hanok.model.server import Server, VmState
from hanok.operations import power
from hanok.operations.submitter import Submitter
from hanok.placement.filters import NoValidHost, Wanted, rank
from hanok.store import hosts, servers
from hanok.store.database import Transaction


def other_size(flavor: Flavor) -> dict[str, Any]:
    """Return what the row says from a request to resize until the server has that size."""
    return {"flavor_id": flavor.id, "vcpus": flavor.vcpus, "ram_mib": flavor.ram_mib}


def submit(tx: Transaction, engine: Submitter, server: Server, flavor: Flavor) -> None:
    """Submit the resize in the request's transaction, with the size to be in the server's row."""
    _submit(tx, engine, RESIZE, server, {"old": _size(server), "new": other_size(flavor)})


def submit_confirm(tx: Transaction, engine: Submitter, server: Server) -> None:
    """Submit the confirmation of a resized server."""
    _submit(tx, engine, CONFIRM, server, {"old": server.resized or {}, "new": _size(server)})


def submit_revert(tx: Transaction, engine: Submitter, server: Server) -> None:
    """Submit the way back of a resized server."""
    _submit(tx, engine, REVERT, server, {"old": _size(server), "new": server.resized or {}})


def _size(server: Server) -> dict[str, Any]:
    return {
        "flavor_id": server.flavor_id,
        "vcpus": server.vcpus,
        "ram_mib": server.ram_mib,
        "vm_state": server.vm_state,
    }


def _submit(
    tx: Transaction, engine: Submitter, kind: Operation, server: Server, sizes: dict[str, Any]
) -> None:
    kept = server.resized if server.vm_state == VmState.RESIZED else None
    before = (kept or {}).get("vm_state", server.vm_state)
    engine.submit(
        tx,
        Submission(
            kind=kind.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={
                "host_id": server.host_id,
                "ends": VmState.RESIZED,
                "during": server.task_state,
                "runs": before == VmState.ACTIVE,
                "before": before,
                **sizes,
            },
            plan=tuple(Planned(step.name, step.name) for step in kind.steps),
            subjects=(f"server:{server.id}",),
        ),
    )


# -- claims --------------------------------------------------------------------------------------


def _hold_both(work: Work) -> None:
    """Hold room for the larger of the two sizes; raises NoValidHost when there is none."""
    old, new = work.intent["old"], work.intent["new"]
    larger = Claim(max(old["vcpus"], new["vcpus"]), max(old["ram_mib"], new["ram_mib"]), 0)
    if not hosts.resize_claim(work.tx, work.server_id or "", larger):
        raise NoValidHost(f"{_why(work, larger)} A resized instance stays on its host.")


def _why(work: Work, larger: Claim) -> str:
    """Explain, as placement does, why the server's host does not hold the larger size."""
    try:
        rank(hosts.without(work.tx, work.server_id or ""), Wanted(larger, None))
    except NoValidHost as error:
        return error.message
    return "No valid host was found. The instance's host has no room for the new flavor."


def _hold_old(work: Work) -> None:
    """Take back what is held for the new size, on the host and of the quota."""
    _hold(work, work.intent["old"])
    power.change(work, {"resized": None})


def _hold(work: Work, size: dict[str, Any]) -> None:
    hosts.resize_claim(work.tx, work.server_id or "", Claim(size["vcpus"], size["ram_mib"], 0))


# -- the domain ----------------------------------------------------------------------------------


def _when_running(verb: str) -> Any:
    def call(view: View) -> HostCall | None:
        if not view.intent["runs"]:
            return None
        return HostCall(view.intent["host_id"], verb, {"server_id": view.server_id})

    return call


def _resize_to(size: str) -> Any:
    def call(view: View) -> HostCall:
        arguments = {
            "server_id": view.server_id,
            "vcpus": view.intent[size]["vcpus"],
            "ram_mib": view.intent[size]["ram_mib"],
        }
        return HostCall(view.intent["host_id"], "compute.resize", arguments)

    return call


# -- the ends ------------------------------------------------------------------------------------


def _finish_resize(work: Work) -> None:
    new = work.intent["new"]
    values = {
        **{name: new[name] for name in ("flavor_id", "vcpus", "ram_mib")},
        "vm_state": VmState.RESIZED,
        "task_state": None,
        "power_state": int(_power(work)),
        "resized": {**work.intent["old"], "at": work.now},
        "fault": None,
    }
    if work.intent["runs"]:
        values["launched_at"] = work.now
    power.change(work, values)


def _finish_confirm(work: Work) -> None:
    _hold(work, work.intent["new"])
    confirmed = {"confirmed_at": work.now}
    values = {"vm_state": work.intent["before"], "task_state": None, "resized": confirmed}
    power.change(work, values)


def _finish_revert(work: Work) -> None:
    new = work.intent["new"]
    _hold(work, new)
    values = {
        **{name: new[name] for name in ("flavor_id", "vcpus", "ram_mib")},
        "vm_state": work.intent["before"],
        "task_state": None,
        "power_state": int(_power(work)),
        "resized": None,
        "fault": None,
    }
    power.change(work, values)


def _power(work: Work) -> PowerState:
    return PowerState.RUNNING if work.intent["runs"] else PowerState.SHUTDOWN


def _settle(work: Work, outcome: Outcome) -> None:
    power.settle(work, outcome)
    if outcome.state == "done":
        servers.record(work.tx, work.server_id or "", work.now, "size", work.intent["new"])


_ASK = HostStep(
    "ask", _when_running("compute.shut_down"), undo=_when_running("compute.start"), timeout=60
)
_WAIT_A_WHILE = HostStep(
    "wait_a_while", _when_running("compute.power_state"), poll=power.WAIT_A_WHILE.poll
)
_ASK_AGAIN = HostStep("ask_again", _when_running("compute.shut_down"))
_WAIT = HostStep(
    "wait_until_off", _when_running("compute.power_state"), poll=power.WAIT_UNTIL_OFF.poll
)
_CUT = HostStep("cut", _when_running("compute.power_off"))
_SHUT_DOWN = (_ASK, _WAIT_A_WHILE, _ASK_AGAIN, _WAIT, _CUT)
_CHANGE = HostStep("change", _resize_to("new"), undo=_resize_to("old"))
_ON = HostStep(
    "switch_on", _when_running("compute.start"), _when_running("compute.power_off"), timeout=60
)

RESIZE = Operation(
    name="resize_server",
    version=1,
    deadline=600,
    settle=_settle,
    steps=(
        ControlStep("hold_both", _hold_both, _hold_old),
        *_SHUT_DOWN,
        _CHANGE,
        _ON,
        ControlStep("finish", _finish_resize),
    ),
)
CONFIRM = Operation(
    name="confirm_resize",
    version=1,
    deadline=60,
    settle=_settle,
    steps=(ControlStep("finish", _finish_confirm),),
)
REVERT = Operation(
    name="revert_resize",
    version=1,
    deadline=600,
    settle=_settle,
    steps=(*_SHUT_DOWN, _CHANGE, _ON, ControlStep("finish", _finish_revert)),
)
