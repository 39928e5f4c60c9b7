from __future__ import annotations

import itertools

import pytest

from hanok.model.server import TaskState, VmState, matches, status


@pytest.mark.parametrize(
    ("vm_state", "task_state", "shown"),
    [
        ("building", "scheduling", "BUILD"),
        ("building", "deleting", "BUILD"),
        ("active", None, "ACTIVE"),
        ("active", "deleting", "ACTIVE"),
        ("stopped", None, "SHUTOFF"),
        ("paused", None, "PAUSED"),
        ("suspended", None, "SUSPENDED"),
        ("rescued", None, "RESCUE"),
        ("resized", None, "VERIFY_RESIZE"),
        ("shelved_offloaded", None, "SHELVED_OFFLOADED"),
        ("error", None, "ERROR"),
        ("deleted", None, "DELETED"),
    ],
)
def test_status_is_nova_s(vm_state: str, task_state: str | None, shown: str) -> None:
    assert status(vm_state, task_state, answering=True) == shown


def test_a_silent_host_makes_its_servers_unknown_and_nothing_else() -> None:
    unknown = {s for s in VmState if status(s, None, answering=False) == "UNKNOWN"}
    assert unknown == {"active", "stopped", "paused", "suspended", "rescued", "resized"}


def test_the_filter_is_the_status_turned_round() -> None:
    """For every combination, exactly the predicates of its own status match."""
    everything = {
        status(vm_state, task_state, answering=answering)
        for vm_state, task_state, answering in combinations()
    }
    for vm_state, task_state, answering in combinations():
        own = status(vm_state, task_state, answering=answering)
        for shown in everything:
            matched = any(
                match.vm_state == vm_state
                and (match.tasks is None or task_state in match.tasks)
                and task_state not in match.not_tasks
                and match.answering in (None, answering)
                for match in matches(shown)
            )
            assert matched == (shown == own), (vm_state, task_state, answering, shown)


def combinations() -> list[tuple[str, str | None, bool]]:
    return list(itertools.product(VmState, (None, *TaskState), (True, False)))


def test_an_unknown_status_matches_nothing() -> None:
    assert matches("NONSENSE") == []
    assert matches("active") == matches("ACTIVE")
