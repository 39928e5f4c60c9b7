from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hanok.engine.steps import (
    ControlStep,
    HostCall,
    HostStep,
    Outcome,
    Retry,
    View,
    Wait,
    Work,
)
from hanok.model.errors import NotFound
from tests.engine.world import Tape, ToyWorld, kind

QUICK = Retry(times=3, first=0.1, factor=1.0)


@pytest.fixture
def world(each_database_url: str, tmp_path: Path) -> Iterator[ToyWorld]:
    one = ToyWorld(each_database_url, tmp_path)
    yield one
    one.close()


def test_steps_run_in_order_and_results_reach_later_steps(world: ToyWorld) -> None:
    seen: list[Any] = []

    def first(work: Work) -> dict[str, Any]:
        return {"chosen": work.intent["wish"]}

    def call(view: View) -> HostCall:
        return HostCall("host-1", "make", {"it": view.results["first"]["chosen"]})

    def last(work: Work) -> None:
        seen.append(dict(work.results))

    world.perform = lambda *_: {"path": "/x"}
    toy = kind(
        world, ControlStep("first", first), HostStep("make", call), ControlStep("last", last)
    )
    engine = world.engine(toy)
    engine.start()
    engine.serve("host-1")
    row = world.wait(world.submit(engine, toy, "first", "make", "last", intent={"wish": 7}))
    engine.stop()

    assert row.state == "done"
    assert world.performed == [("host-1", "make", {"it": 7})]
    assert seen == [{"first": {"chosen": 7}, "make": {"path": "/x"}}]
    assert [step.state for step in world.steps(row.id)] == ["done"] * 3


def test_a_failed_step_is_tried_again_then_everything_is_undone_backwards(
    world: ToyWorld,
) -> None:
    tape = Tape()
    toy = kind(world, tape.control("a"), tape.control("b"), tape.control("c"))
    engine = world.engine(toy)
    engine.start()
    tape.fail = {"do b": 1}
    assert world.wait(world.submit(engine, toy, "a", "b", "c")).state == "done"
    assert tape.did == ["do a", "do b", "do b", "do c"]

    tape.did, tape.fail = [], {"do c": 99}
    row = world.wait(world.submit(engine, toy, "a", "b", "c"))
    engine.stop()
    assert row.state == "undone"
    assert tape.did == ["do a", "do b", *["do c"] * 3, "undo c", "undo b", "undo a"]
    assert row.error is not None
    assert row.error["step"] == "c"
    assert row.error["message"] == "do c failed"


def test_a_permanent_failure_is_not_tried_again(world: ToyWorld) -> None:
    tape = Tape()
    tape.permanent, tape.fail = True, {"do b": 1}
    toy = kind(world, tape.control("a"), tape.control("b"))
    engine = world.engine(toy)
    engine.start()
    row = world.wait(world.submit(engine, toy, "a", "b"))
    engine.stop()
    assert row.state == "undone"
    assert tape.did == ["do a", "do b", "undo b", "undo a"]


def test_fault_04_an_undo_that_fails_is_tried_again_and_none_is_skipped(world: ToyWorld) -> None:
    tape = Tape()
    tape.fail = {"do c": 99, "undo b": 2}
    toy = kind(world, tape.control("a"), tape.control("b"), tape.control("c"))
    engine = world.engine(toy)
    engine.start()
    row = world.wait(world.submit(engine, toy, "a", "b", "c"))
    engine.stop()
    assert row.state == "undone"
    assert tape.did[-5:] == ["undo c", "undo b", "undo b", "undo b", "undo a"]


def test_fault_05_an_undo_that_fails_for_good_leaves_a_resumable_operation(
    world: ToyWorld,
) -> None:
    tape = Tape()
    tape.fail = {"do c": 99, "undo b": 3}
    toy = kind(world, tape.control("a"), tape.control("b"), tape.control("c"))
    engine = world.engine(toy)
    engine.start()
    stuck = world.wait(world.submit(engine, toy, "a", "b", "c"))
    assert stuck.state == "stuck"
    assert tape.did[-1] == "undo a"
    assert [s.state for s in world.steps(stuck.id)] == ["undone", "undo_failed", "undone"]
    assert world.ended[-1][1].state == "stuck"

    other = world.wait(world.submit(engine, toy, "a"))
    assert other.state == "done", "a stuck operation must not block its subject"

    engine.resume(stuck.id)
    assert world.wait(stuck.id).state == "undone"
    assert tape.did[-3:] == ["undo c", "undo b", "undo a"]
    with pytest.raises(NotFound):
        engine.resume(stuck.id)
    engine.stop()


def test_operations_on_one_subject_queue_in_order_others_do_not_wait(world: ToyWorld) -> None:
    gate, order = threading.Event(), []

    def do(work: Work) -> None:
        order.append(work.intent["n"])
        if work.intent["n"] == 1 and not gate.is_set():
            raise Wait(0.05)

    toy = kind(world, ControlStep("a", do))
    engine = world.engine(toy)
    engine.start()
    ids = [
        world.submit(engine, toy, "a", subjects=(subject,), intent={"n": n})
        for n, subject in ((1, "server:1"), (2, "server:1"), (3, "server:1"), (4, "server:2"))
    ]
    world.wait(ids[3])
    assert 4 in order
    assert 2 not in order
    gate.set()
    for one in ids:
        assert world.wait(one).state == "done"
    engine.stop()
    assert [n for n in dict.fromkeys(order) if n != 4] == [1, 2, 3]


def test_overtaking_stops_what_runs_at_its_next_boundary_and_unwinds_it(world: ToyWorld) -> None:
    tape, waiting = Tape(), threading.Event()

    def linger(_work: Work) -> None:
        waiting.set()
        raise Wait(0.05)

    toy = kind(world, tape.control("a"), ControlStep("linger", linger), tape.control("z"))
    engine = world.engine(toy)
    engine.start()
    first = world.submit(engine, toy, "a", "linger")
    queued = world.submit(engine, toy, "a", "z")
    assert waiting.wait(10)
    last = world.submit(engine, toy, "z", overtake=True)
    assert world.wait(last).state == "done"
    for one in (first, queued):
        row = world.wait(one)
        assert row.state == "undone"
        assert row.error is not None
        assert row.error["cancelled"] is True
    engine.stop()
    assert tape.did.count("do z") == 1
    assert [outcome.cancelled for _, outcome in world.ended] == [True, True, False]


def test_an_operation_past_its_deadline_unwinds(world: ToyWorld) -> None:
    tape = Tape()

    def forever(_work: Work) -> None:
        raise Wait(1.0)

    toy = kind(world, tape.control("a"), ControlStep("never", forever), deadline=60)
    engine = world.engine(toy)
    engine.start()
    row = world.wait(world.submit(engine, toy, "a", "never"))
    engine.stop()
    assert row.state == "undone"
    assert row.error is not None
    assert "did not finish within 60 s" in row.error["message"]
    assert tape.did == ["do a", "undo a"]


def test_fault_12_a_thousand_operations_end_in_order_with_two_workers(world: ToyWorld) -> None:
    order: list[int] = []
    toy = kind(world, ControlStep("a", lambda work: order.append(work.intent["n"])))
    engine = world.engine(toy)
    count = 300
    ids = [
        world.submit(engine, toy, "a", subjects=(f"server:{n}",), intent={"n": n})
        for n in range(count)
    ]
    engine.start(control_threads=2)
    for one in ids:
        world.wait(one, 60)
    engine.stop()
    assert sorted(order) == list(range(count))
    late = max(abs(position - n) for position, n in enumerate(order))
    assert late < 10, f"the order was not fair: one came {late} places off"


def test_stopping_ends_every_thread_and_lets_go_of_what_comes_late(world: ToyWorld) -> None:
    began, go_on = threading.Event(), threading.Event()

    def wait(_: Work) -> None:
        began.set()
        assert go_on.wait(10)

    before = set(threading.enumerate())
    toy = kind(
        world, ControlStep("wait", wait), HostStep("make", lambda _: HostCall("host-1", "", {}))
    )
    engine = world.engine(toy)
    engine.start()
    engine.serve("host-1")
    row = world.submit(engine, toy, "wait", "make")
    assert began.wait(5)
    engine.stop()
    assert engine.in_flight == 1
    go_on.set()
    until = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < until:
        time.sleep(0.005)
    assert set(threading.enumerate()) - before == set()
    assert engine.in_flight == 0
    assert [step.state for step in world.steps(row)] == ["done", "pending"]


def test_what_a_stopped_engine_left_is_taken_over_at_once(world: ToyWorld) -> None:
    """fault_17 for the engine: a new process carries on at the same step."""
    tape, hold = Tape(), threading.Event()

    def pause(_work: Work) -> None:
        if not hold.is_set():
            raise Wait(0.05)

    toy = kind(world, tape.control("a"), ControlStep("pause", pause), tape.control("b"))
    first = world.engine(toy)
    first.start()
    operation = world.submit(first, toy, "a", "pause", "b")
    while "do a" not in tape.did:
        time.sleep(0.01)
    first.stop()
    hold.set()
    second = world.engine(toy)
    second.start()
    assert world.wait(operation).state == "done"
    second.stop()
    assert tape.did == ["do a", "do b"]


def test_fault_09_a_runner_that_lost_its_operation_commits_nothing(world: ToyWorld) -> None:
    entered, release = threading.Event(), threading.Event()
    did: list[str] = []

    def slow(*_args: Any) -> str:
        entered.set()
        assert release.wait(10)
        return "late"

    world.perform = slow
    toy = kind(
        world,
        HostStep("slow", lambda _view: HostCall("host-1", "slow", {})),
        ControlStep("after", lambda work: did.append(work.results["slow"])),
    )
    engine = world.engine(toy)
    engine.start()
    engine.serve("host-1")
    operation = world.submit(engine, toy, "slow", "after")
    assert entered.wait(10)
    world.execute("UPDATE operations SET owner = NULL, epoch = epoch + 1, place = 'elsewhere'")
    release.set()
    while engine.in_flight:
        time.sleep(0.01)
    engine.stop()
    assert did == []
    assert world.steps(operation)[0].state == "pending"


def test_outcome_is_told_once(world: ToyWorld) -> None:
    tape = Tape()
    toy = kind(world, tape.control("a"))
    engine = world.engine(toy)
    engine.start()
    operation = world.submit(engine, toy, "a")
    world.wait(operation)
    world.close()
    assert world.ended == [(operation, Outcome("done"))]
