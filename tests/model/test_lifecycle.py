"""Every action in every state, as the table says: legal, or a 409 in Nova's words."""

from __future__ import annotations

import itertools

import pytest

from hanok.model.errors import Conflict
from hanok.model.lifecycle import ACTIONS, NO_TASK, Action, check, check_lock, check_made
from hanok.model.server import TaskState, VmState, status
from hanok.policy.rules import PERMISSIONS
from tests.region_store import a_server, uuid

EACH = pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
OF_NHN = {
    "start": {"stopped"},
    "stop": {"active", "error"},
    "reboot": {"active"},
    "hard reboot": {"active", "stopped", "paused", "suspended", "error"},
    "pause": {"active"},
    "unpause": {"paused"},
    "suspend": {"active"},
    "resume": {"suspended"},
    "resize": {"active", "stopped"},
    "confirmResize": {"resized"},
    "revertResize": {"resized"},
    "changePassword": {"active"},
    "rebuild": {"active", "stopped", "error"},
    "rescue": {"active", "stopped", "error"},
    "unrescue": {"rescued"},
    "shelve": {"active"},
    "unshelve": {"shelved_offloaded"},
    "attach_volume": {"active", "paused", "stopped", "resized"},
    "detach_volume": {"active", "paused", "stopped", "resized"},
}
"""The resting states in which Nova, and the guide, allow an action."""


def allows(action: Action, vm_state: str, task_state: str | None) -> bool:
    try:
        check(action, a_server(1, vm_state=vm_state, task_state=task_state))
    except Conflict:
        return False
    return True


@EACH
def test_fault_60_an_action_is_legal_exactly_where_its_row_says(action: Action) -> None:
    for vm_state, task_state in itertools.product(VmState, (None, *TaskState)):
        resting = vm_state in action.vm_states
        idle = action.task_states is None or task_state in action.task_states
        assert allows(action, vm_state, task_state) == (resting and idle)


@pytest.mark.parametrize(("name", "states"), OF_NHN.items())
def test_the_resting_states_are_nova_s(name: str, states: set[str]) -> None:
    assert {state for state in VmState if allows(ACTIONS[name], state, None)} == states


def test_delete_is_legal_in_every_state_of_a_server_that_is_there() -> None:
    for vm_state, task_state in itertools.product(VmState, (None, *TaskState)):
        there = vm_state != VmState.DELETED
        assert allows(ACTIONS["delete"], vm_state, task_state) == there


@EACH
def test_nothing_but_delete_begins_while_a_server_is_being_deleted(action: Action) -> None:
    legal = [state for state in VmState if allows(action, state, TaskState.DELETING)]
    assert bool(legal) == (action.name == "delete")


@EACH
def test_an_action_that_overtakes_may_interrupt_a_task_and_no_other_may(action: Action) -> None:
    if action.overtakes:
        assert action.task_states != NO_TASK
    elif action.during:
        assert action.task_states == NO_TASK


@EACH
def test_what_a_row_names_is_there(action: Action) -> None:
    assert action.permission in PERMISSIONS
    assert action.during == "" or action.during in set(TaskState)
    assert action.operation
    assert action.vm_states
    for state in action.vm_states:
        assert status(state, action.during or None, answering=True) != "UNKNOWN"


@pytest.mark.parametrize(
    ("name", "state", "text"),
    [
        (
            "start",
            {"vm_state": "active"},
            "Cannot 'start' instance {} while it is in vm_state active",
        ),
        (
            "stop",
            {"task_state": "deleting"},
            "Cannot 'stop' instance {} while it is in task_state deleting",
        ),
        (
            "hard reboot",
            {"vm_state": "building"},
            "Cannot 'reboot' instance {} while it is in vm_state building",
        ),
        (
            "start",
            {"vm_state": "building", "task_state": "spawning"},
            "Cannot 'start' instance {} while it is in vm_state building",
        ),
    ],
)
def test_the_refusal_is_in_nova_s_words(name: str, state: dict[str, str], text: str) -> None:
    with pytest.raises(Conflict) as caught:
        check(ACTIONS[name], a_server(1, **state))
    assert caught.value.message == text.format(uuid(1))


@pytest.mark.parametrize("locked_by", [None, "owner", "admin"])
def test_a_lock_refuses_everybody_but_administrators(locked_by: str | None) -> None:
    server = a_server(1, locked_by=locked_by)
    check_lock(server, admin=True)
    if locked_by is None:
        check_lock(server, admin=False)
        return
    with pytest.raises(Conflict) as caught:
        check_lock(server, admin=False)
    assert caught.value.message == f"Instance {uuid(1)} is locked"


@pytest.mark.parametrize("missing", ["launched_at", "host_id"])
def test_what_has_never_run_is_in_no_state_for_it(missing: str) -> None:
    made = {"launched_at": 1, "host_id": uuid(2), missing: None}
    check_made(ACTIONS["rescue"], a_server(1, launched_at=1, host_id=uuid(2)))
    with pytest.raises(Conflict) as caught:
        check_made(ACTIONS["rescue"], a_server(1, **made))
    assert caught.value.message == f"Instance {uuid(1)} is in an invalid state for 'rescue'"


@pytest.mark.parametrize("name", ["attach_volume", "detach_volume"])
@pytest.mark.parametrize("task", [TaskState.RESCUING, TaskState.UNRESCUING])
def test_no_disk_comes_or_goes_while_they_change_their_names(name: str, task: TaskState) -> None:
    assert not allows(ACTIONS[name], VmState.ACTIVE, task)
    assert allows(ACTIONS[name], VmState.ACTIVE, None)


@pytest.mark.parametrize(
    ("name", "start", "ends"),
    [
        ("rebuild", "active", {"active"}),
        ("rebuild", "error", {"active"}),
        ("rebuild", "stopped", {"stopped"}),
        ("confirmResize", "resized", {"active", "stopped"}),
        ("rescue", "stopped", {"rescued"}),
        ("changePassword", "active", {"active"}),
    ],
)
def test_a_row_says_where_it_ends(name: str, start: str, ends: set[str]) -> None:
    assert ACTIONS[name].ends_from(VmState(start)) == ends
