"""Move by move, without threads: what each move writes, and where it leaves the operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from hanok.engine.job import Fenced, Move
from hanok.engine.runner import Runner
from hanok.engine.steps import (
    CONTROL,
    ControlStep,
    Extended,
    HostCall,
    HostStep,
    Operation,
    Outcome,
    Planned,
    Poll,
    Retry,
    View,
    Wait,
    Work,
)
from hanok.model.errors import Conflict, HanokError, HostError, HostUnreachable, Unavailable
from hanok.model.moments import SECOND
from hanok.store import journal
from hanok.store.region_tables import zones
from tests.engine.moves import ELSEWHERE, HERE, Bench, add_zone, nothing, on


def fail(_work: Work) -> None:
    raise Conflict("No.")


@pytest.fixture
def bench(database_url: str, tmp_path: Path) -> Iterator[Bench]:
    one = Bench(database_url, tmp_path)
    yield one
    one.store.close()


# -- forward -------------------------------------------------------------------------------------


def test_a_move_says_where_the_operation_belongs_next(bench: Bench) -> None:
    job = bench.job(
        ControlStep("a", nothing),
        ControlStep("b", nothing),
        HostStep("here", on(HERE)),
        ControlStep("c", nothing),
        HostStep("there", on(ELSEWHERE)),
    )
    moves = [bench.runner.move(job) for _ in range(4)]
    assert moves == [Move.ON, Move.AWAY, Move.AWAY, Move.LET_GO]
    row = bench.row(job)
    assert (row.place, row.owner, row.position) == (ELSEWHERE, None, 4)


def test_memory_is_what_the_rows_say_after_every_move(bench: Bench) -> None:
    job = bench.job(ControlStep("a", nothing), HostStep("b", on(HERE)), ControlStep("c", nothing))
    bench.answer = lambda _verb, _args: {"path": "/x"}
    while bench.runner.move(job) is not Move.ENDED:
        assert bench.row(job) == job.operation
        assert bench.steps(job) == job.steps
    assert bench.row(job).state == "done"
    assert bench.steps(job) == job.steps
    assert [step.result for step in job.steps] == [None, {"path": "/x"}, None]


def test_a_step_s_rows_and_its_result_are_one_commit(bench: Bench) -> None:
    def fail_late(work: Work) -> None:
        add_zone(work)
        raise Conflict("No.")

    job = bench.job(ControlStep("a", add_zone), ControlStep("b", fail_late))
    assert bench.runner.move(job) is Move.ON
    assert bench.zones() == 1
    assert bench.go(job) is Move.ENDED
    assert bench.zones() == 1, "what the failed step wrote is rolled back"


def test_fault_09_a_runner_that_lost_its_operation_writes_nothing(bench: Bench) -> None:
    job = bench.job(ControlStep("a", add_zone))
    with bench.store.write() as tx:
        journal.void_owners(tx, [])
    with pytest.raises(Fenced):
        bench.runner.move(job)
    assert bench.zones() == 0
    assert bench.ended == []
    assert bench.steps(job)[0].state == "pending"


def test_a_list_may_begin_on_a_host_or_with_nothing_to_do_there(bench: Bench) -> None:
    job = bench.job(HostStep("none", lambda _view: None), HostStep("make", on(HERE, secret=False)))
    assert bench.go(job) is Move.ENDED
    assert bench.performed == [(HERE, "make", {"key": "make"}, 30.0)]
    assert [step.state for step in bench.steps(job)] == ["done", "done"]


def test_an_empty_list_ends_at_once(bench: Bench) -> None:
    assert bench.go(bench.job(plan=())) is Move.ENDED
    assert bench.ended == [Outcome("done")]


def test_the_call_is_journaled_before_it_is_made_and_made_as_journaled(bench: Bench) -> None:
    """What a crash between them leaves is enough to make the same call again."""
    calls = iter([1, 2, 3])
    step = HostStep("make", lambda _view: HostCall(HERE, "make", {"n": next(calls)}), timeout=7)
    job = bench.job(ControlStep("a", nothing), step)
    assert bench.runner.move(job) is Move.AWAY
    assert bench.steps(job)[1].call == {"verb": "make", "args": {"n": 1}}
    assert bench.steps(job)[1].place == HERE
    with bench.store.write() as tx:
        journal.void_owners(tx, [])
    assert bench.go(bench.take(job.kind)) is Move.ENDED
    assert bench.performed == [(HERE, "make", {"n": 1}, 7)]


def test_secret_arguments_lie_sealed_in_the_journal(bench: Bench) -> None:
    step = HostStep(
        "tell",
        lambda view: HostCall(HERE, "tell", {"word": view.secrets["word"]}, secret=True),
    )
    job = bench.job(ControlStep("a", nothing), step, secrets={"word": "xyzzy"})
    bench.runner.move(job)
    row = bench.steps(job)[1]
    assert row.call == {"verb": "tell"}
    assert row.sealed_call is not None
    assert b"xyzzy" not in row.sealed_call
    assert bench.go(job) is Move.ENDED
    assert bench.performed == [(HERE, "tell", {"word": "xyzzy"}, 30.0)]
    assert bench.steps(job)[1].sealed_call is None


def test_what_is_read_before_a_step_is_handed_to_it(bench: Bench) -> None:
    seen: list[Any] = []
    step = ControlStep(
        "a",
        lambda work: seen.append(work.seen),
        read=lambda view, reader: (view.key, reader.scalar(select(func.count(zones.c.name)))),
    )
    assert bench.go(bench.job(step)) is Move.ENDED
    assert seen == [("a", 0)]


def test_secrets_that_a_step_finds_are_sealed_with_the_operation_s_own(bench: Bench) -> None:
    def gather(_work: Work) -> Extended:
        return Extended(None, (Planned("tell", "tell"),), secrets={"more": "plugh"})

    tell = HostStep("tell", lambda view: HostCall(HERE, "tell", dict(view.secrets), secret=True))
    job = bench.job(
        ControlStep("a", gather), tell, plan=("a",), secrets={"word": "xyzzy", "more": "none"}
    )
    bench.runner.move(job)
    sealed = bench.row(job).secrets
    assert sealed is not None
    assert b"plugh" not in sealed
    assert bench.context.sealer.open(job.operation.id, sealed) == {"word": "xyzzy", "more": "plugh"}
    assert bench.go(job) is Move.ENDED
    assert bench.performed == [(HERE, "tell", {"word": "xyzzy", "more": "plugh"}, 30.0)]
    assert bench.row(job).secrets is None


def test_a_step_may_lengthen_the_list_once(bench: Bench) -> None:
    def gather(_work: Work) -> Extended:
        return Extended({"found": 2}, (Planned("b", "b:1", {"n": 1}), Planned("b", "b:2")))

    did: list[str] = []
    job = bench.job(
        ControlStep("gather", gather),
        ControlStep("b", lambda work: did.append(work.key)),
        plan=("gather",),
    )
    assert bench.go(job) is Move.ENDED
    assert did == ["b:1", "b:2"]
    rows = bench.steps(job)
    assert [row.position for row in rows] == [0, 1, 2]
    assert (rows[0].result, rows[1].args) == ({"found": 2}, {"n": 1})


# -- waiting -------------------------------------------------------------------------------------


def test_what_waits_is_a_row_that_nobody_owns(bench: Bench) -> None:
    def wait(_work: Work) -> None:
        raise Wait(2.5)

    job = bench.job(ControlStep("a", wait))
    assert bench.runner.move(job) is Move.LET_GO
    row = bench.row(job)
    assert (row.owner, row.attempt) == (None, 0)
    assert row.run_at == bench.clock.now() + 2.5 * SECOND


def test_a_host_is_asked_again_until_it_is_enough(bench: Bench) -> None:
    answers = iter([1, 1, 4])
    bench.answer = lambda _verb, _args: next(answers)
    poll = Poll(lambda power: power == 4, every=0.5, patience=10)
    job = bench.job(HostStep("ask", on(HERE), poll=poll))
    for _ in range(2):
        assert bench.go(job) is Move.LET_GO
        assert bench.row(job).run_at == bench.clock.now() + SECOND // 2
        bench.clock.advance(SECOND // 2)
        job = bench.take(job.kind)
    assert bench.go(job) is Move.ENDED
    assert bench.steps(job)[0].result == 4


def test_after_its_patience_the_last_answer_is_taken_as_it_is(bench: Bench) -> None:
    bench.answer = lambda _verb, _args: 1
    poll = Poll(lambda power: power == 4, every=3, patience=5)
    job = bench.job(HostStep("ask", on(HERE), poll=poll))
    asked = 0
    while bench.go(job) is Move.LET_GO:
        asked += 1
        bench.clock.advance(3 * SECOND)
        job = bench.take(job.kind)
    assert asked == 2
    assert bench.steps(job)[0].result == 1
    assert bench.ended == [Outcome("done")]


# -- failing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (HostError("x"), 3),
        (HostUnreachable("x"), 3),
        (Unavailable("x"), 3),
        (RuntimeError("a bug"), 3),
        (HostError("x", permanent=True), 1),
        (Conflict("x"), 1),
        (HanokError("x"), 1),
    ],
)
def test_what_may_pass_is_tried_again_and_what_will_not_is_not(
    bench: Bench, error: Exception, tries: int
) -> None:
    did: list[int] = []

    def fail(_work: Work) -> None:
        did.append(bench.clock.now())
        raise error

    job = bench.job(ControlStep("a", fail, retry=Retry(times=3, first=1, factor=4)))
    while bench.go(job) is Move.LET_GO:
        bench.clock.advance(bench.row(job).run_at - bench.clock.now())
        job = bench.take(job.kind)
    pauses = [(later - earlier) / SECOND for earlier, later in pairwise(did)]
    assert pauses == [1, 4][: tries - 1]
    assert bench.row(job).state == "undone"


@pytest.mark.parametrize(("hangs", "tries"), [(0, 5), (30, 3)])
def test_a_host_that_is_away_is_waited_for(bench: Bench, hangs: int, tries: int) -> None:
    """One that says at once that it is away is asked for some seconds; 30 s are long enough."""
    asked: list[int] = []

    def is_away(_verb: str, _args: Mapping[str, Any]) -> None:
        asked.append(bench.clock.now())
        bench.clock.advance(hangs * SECOND)
        raise HostUnreachable("x")

    bench.answer = is_away
    job = bench.job(HostStep("call", on(HERE)))
    while bench.go(job) is Move.LET_GO:
        bench.clock.advance(bench.row(job).run_at - bench.clock.now())
        job = bench.take(job.kind)
    pauses = [(later - earlier) / SECOND - hangs for earlier, later in pairwise(asked)]
    assert pauses == [pytest.approx(pause) for pause in [0.2, 0.6, 1.8, 5.4][: tries - 1]]
    assert bench.row(job).state == "undone"


def test_an_undo_that_cannot_be_named_stops_no_other(bench: Bench) -> None:
    undone: list[str] = []

    def broken(view: View) -> HostCall:
        return HostCall(view.results["what no step has found"], "unmake", {})

    job = bench.job(
        ControlStep("a", nothing, lambda work: undone.append(work.key)),
        HostStep("call", on(HERE), broken),
        ControlStep("fail", fail),
    )
    assert bench.go(job) is Move.ENDED
    assert undone == ["a"]
    assert [step.state for step in bench.steps(job)] == ["undone", "undo_failed", "pending"]
    assert bench.row(job).state == "stuck"


def test_only_what_was_begun_and_can_be_undone_is_undone(bench: Bench) -> None:
    undone: list[str] = []

    def undo(work: Work) -> None:
        undone.append(work.key)

    job = bench.job(
        ControlStep("a", nothing, undo),
        ControlStep("plain", nothing),
        HostStep("call", on(HERE), lambda view: HostCall(HERE, "unmake", {"key": view.key})),
        HostStep("skipped", lambda _view: None, lambda _view: None),
        ControlStep("fail", fail, undo),
        ControlStep("never", nothing, undo),
    )
    assert bench.go(job) is Move.ENDED
    assert undone == ["fail", "a"]
    assert [verb for _, verb, _, _ in bench.performed] == ["make", "unmake"]
    assert [step.state for step in bench.steps(job)] == [
        *("undone", "undone", "undone", "undone", "undone", "pending")
    ]
    [outcome] = bench.ended
    assert (outcome.state, outcome.cancelled) == ("undone", False)
    assert outcome.failure is not None
    assert (outcome.failure.step, outcome.failure.message) == ("fail", "No.")


def test_an_undo_on_a_host_that_is_not_here_goes_there(bench: Bench) -> None:
    undo = HostStep("call", lambda _view: None, on(ELSEWHERE))
    job = bench.job(undo, ControlStep("fail", fail))
    assert bench.go(job) is Move.LET_GO
    row = bench.row(job)
    assert (row.state, row.place, row.owner) == ("unwinding", ELSEWHERE, None)


def test_an_operation_that_was_overtaken_before_it_began_does_nothing(bench: Bench) -> None:
    did: list[str] = []
    kind = bench.job(ControlStep("a", lambda work: did.append(work.key))).kind
    with bench.store.write() as tx:
        journal.cancel_all(tx, "server:1", bench.clock.now())
        journal.void_owners(tx, [])
    job = bench.take(kind)
    assert bench.go(job) is Move.ENDED
    assert did == []
    [outcome] = bench.ended
    assert (outcome.state, outcome.cancelled) == ("undone", True)


def test_past_its_deadline_it_turns_round_at_the_next_boundary(bench: Bench) -> None:
    undone: list[str] = []
    step = ControlStep("a", nothing, lambda work: undone.append(work.key))
    job = bench.job(step, ControlStep("b", nothing), deadline=30)
    assert bench.runner.move(job) is Move.ON
    bench.clock.advance(30 * SECOND + 1)
    assert bench.go(job) is Move.ENDED
    assert undone == ["a"]
    error = bench.row(job).error
    assert error is not None
    assert error["step"] == "b"
    assert error["message"] == "The operation did not finish within 30 s."


def test_the_rows_of_the_end_are_in_the_commit_of_the_end(bench: Bench) -> None:
    """If settling fails, the operation has not ended; it is settled again."""
    broken = [True]

    def settle(work: Work, _outcome: Outcome) -> None:
        work.tx.run(insert(zones).values(name="settled", available=True))
        if broken:
            raise RuntimeError("told to fail")

    job = bench.job(ControlStep("a", nothing))
    job.kind = Operation("toy", 1, job.kind.steps, settle, 600)
    assert bench.go(job) is Move.LET_GO
    assert bench.zones() == 0
    assert bench.row(job).ended_at is None
    broken.clear()
    bench.clock.advance(SECOND)
    kind = job.kind
    job = bench.take(kind)
    assert bench.go(job) is Move.ENDED
    assert bench.zones() == 1
    with bench.store.read() as reader:
        assert journal.unfinished(reader, "server:1") == 0


def test_work_that_moves_to_another_process_is_announced(bench: Bench) -> None:
    """With the commit that moves it, so that nobody hears of it before it can be taken."""
    announced: list[str] = []

    def announce(tx: Any) -> None:
        owner = tx.scalar(text("SELECT owner FROM operations"))
        tx.after_commit(lambda: announced.append(str(owner)))

    bench.runner = Runner(bench.context, {CONTROL, HERE}, announce)
    job = bench.job(
        ControlStep("a", nothing), HostStep("b", on(HERE)), HostStep("c", on(ELSEWHERE))
    )
    assert bench.runner.move(job) is Move.AWAY
    assert announced == []
    assert bench.runner.move(job) is Move.LET_GO
    assert announced == ["None"]
