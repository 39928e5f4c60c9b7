from __future__ import annotations

import dataclasses

import pytest

from hanok.engine.steps import ControlStep, HostStep, Operation, Retry, View, Wait, Work
from hanok.operations.kinds import KINDS

ONE = ControlStep("one", lambda _work: None)
TWO = HostStep("two", lambda _view: None)
TOY = Operation("toy", 4, (ONE, TWO), lambda _work, _outcome: None, 60)


def test_pauses_grow_up_to_the_longest() -> None:
    retry = Retry(times=9, first=0.5, factor=2.0, longest=5.0)
    assert [retry.pause(attempt) for attempt in range(1, 7)] == [0.5, 1, 2, 4, 5, 5]
    assert Retry(times=1000, first=0.5, factor=2.0, longest=30.0).pause(1000) == 30.0


def test_the_journal_s_name_carries_the_version() -> None:
    assert TOY.kind == "toy@4"


def test_a_step_is_found_by_its_name() -> None:
    assert TOY.step("one") is ONE
    assert TOY.step("two") is TWO
    with pytest.raises(KeyError, match="three"):
        TOY.step("three")


def test_a_control_step_sees_all_that_a_host_step_sees() -> None:
    names = [field.name for field in dataclasses.fields(View)]
    assert [field.name for field in dataclasses.fields(Work)][: len(names)] == names
    assert list(View.__slots__) == names, "the runner copies a view by its slots"


def test_to_wait_is_to_say_for_how_long() -> None:
    assert Wait(2.5).seconds == 2.5


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_what_we_carry_out_can_be_told_apart_and_ends(kind: Operation) -> None:
    """A journal names kinds and steps: both must be unambiguous, for ever."""
    assert [other.kind for other in KINDS].count(kind.kind) == 1
    names = [step.name for step in kind.steps]
    assert len(set(names)) == len(names)
    assert all(0 < len(name) <= 64 and ":" not in name and "/" not in name for name in names)
    assert kind.deadline > 0
    for step in kind.steps:
        assert step.retry.times >= 1
        assert step.undo_retry.times >= 1
        if isinstance(step, HostStep):
            assert 0 < step.timeout <= kind.deadline
