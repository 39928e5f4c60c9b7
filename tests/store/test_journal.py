"""The journal's statements, without an engine: who may take what, and what a save is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.exc import IntegrityError

from hanok.store import journal
from hanok.store.database import Database, Transaction
from hanok.store.journal import Damaged, OperationRow, StepRow
from hanok.store.region_tables import operation_subjects
from tests.region_store import MINE, region_store, uuid

HERE = ("control",)
LATER = 10**9


@pytest.fixture
def store(database_url: str) -> Iterator[Database]:
    with region_store(database_url) as database:
        yield database


@pytest.fixture
def each_store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


def a_step(number: int, position: int, **changes: Any) -> StepRow:
    made = StepRow(
        operation_id=uuid(number),
        position=position,
        name="make",
        key=f"make:{position}",
        args={"n": position},
        state="pending",
        place="control",
        call=None,
        sealed_call=None,
        result=None,
        error=None,
        started_at=None,
        ended_at=None,
    )
    return replace(made, **changes)


def submit(
    tx: Transaction, number: int, *subjects: str, steps: Sequence[StepRow] = (), **changes: Any
) -> int:
    values = {
        "id": uuid(number),
        "kind": "toy@1",
        "state": "queued",
        "project_id": MINE,
        "server_id": None,
        "args": {"n": number},
        "subjects": list(subjects),
        "secrets": None,
        "place": "control",
        "run_at": 0,
        "deadline_at": LATER,
        "submitted_at": 0,
        **changes,
    }
    return journal.submit(tx, values, steps)


def claim(tx: Transaction, owner: str = "me", now: int = 1) -> OperationRow | None:
    claimed = journal.claim(tx, owner, HERE, now)
    return None if claimed is None else claimed[0]


def must_claim(tx: Transaction, owner: str = "me") -> OperationRow:
    operation = claim(tx, owner)
    assert operation is not None
    return operation


def end(tx: Transaction, operation: OperationRow, state: str = "done", at: int = 5) -> None:
    owner, operation.owner = operation.owner or "", None
    operation.state, operation.ended_at = state, at
    assert journal.save(tx, operation, owner=owner)
    journal.release(tx, operation)


def test_what_is_submitted_is_claimed_with_its_steps_and_is_then_owned(store: Database) -> None:
    steps = [a_step(1, 0), a_step(1, 1)]
    with store.write() as tx:
        number = submit(tx, 1, "server:1", "volume:1", steps=steps)
        assert journal.unfinished(tx, "volume:1") == 1
    with store.write() as tx:
        claimed = journal.claim(tx, "me", HERE, 1)
    assert claimed is not None
    operation, found = claimed
    assert found == steps
    assert (operation.seq, operation.id, operation.args) == (number, uuid(1), {"n": 1})
    assert (operation.owner, operation.state, operation.epoch) == ("me", "running", 1)
    assert (operation.position, operation.attempt, operation.cancel) == (0, 0, False)
    with store.write() as tx:
        assert journal.get(tx, uuid(1)) == operation, "memory mirrors the row"
        assert claim(tx, "you") is None


def test_on_a_subject_the_first_to_come_goes_first_and_alone(store: Database) -> None:
    with store.write() as tx:
        submit(tx, 1, "server:1", "volume:1")
        submit(tx, 2, "volume:1")
        submit(tx, 3, "server:1", "volume:2")
        submit(tx, 4, "server:4")
        submit(tx, 5, "volume:2")
        first = must_claim(tx)
        assert first.id == uuid(1)
        assert must_claim(tx).id == uuid(4)
        assert claim(tx) is None
        end(tx, first)
        assert must_claim(tx).id == uuid(2)
        third = must_claim(tx)
        assert third.id == uuid(3)
        assert claim(tx) is None, "5 waits behind 3, which waited behind 1"
        end(tx, third)
        assert must_claim(tx).id == uuid(5)


def test_a_subject_has_one_holder_whatever_the_code_above_does(each_store: Database) -> None:
    row = {"subject": "server:1", "held": True}
    with each_store.write() as tx:
        tx.run(insert(operation_subjects), {**row, "seq": 1})
    with pytest.raises(IntegrityError), each_store.write() as tx:
        tx.run(insert(operation_subjects), {**row, "seq": 2})


def test_only_what_is_due_and_belongs_here_is_claimed(store: Database) -> None:
    with store.write() as tx:
        submit(tx, 1, place="host-1")
        submit(tx, 2, run_at=100)
        assert not journal.has_runnable(tx, HERE, 99)
        assert claim(tx, now=99) is None
        assert journal.next_run_at(tx, 99) == 100
        assert journal.has_runnable(tx, HERE, 100)
        operation = claim(tx, now=100)
        assert operation is not None
        assert operation.id == uuid(2)
        assert journal.next_run_at(tx, 99) is None, "what is owned waits for nobody"
        claimed = journal.claim(tx, "me", ("control", "host-1"), 100)
        assert claimed is not None
        assert claimed[0].id == uuid(1)


@pytest.mark.postgres
def test_two_processes_take_different_operations_and_none_waits(postgres_url: str) -> None:
    with region_store(postgres_url) as store:
        with store.write() as tx:
            submit(tx, 1, "server:1")
            submit(tx, 2, "server:2")
        with store.write() as mine:
            assert must_claim(mine, "me").id == uuid(1)
            with store.write() as yours:
                assert must_claim(yours, "you").id == uuid(2)
                assert claim(yours, "you") is None


def test_fault_09_a_save_counts_only_for_owner_and_epoch(store: Database) -> None:
    with store.write() as tx:
        submit(tx, 1, "server:1")
        operation = must_claim(tx)
        assert not journal.save(tx, replace(operation, position=7), owner="you")
        assert not journal.save(tx, replace(operation, position=7, epoch=0), owner="me")
        assert journal.void_owners(tx, ["me"]) == 0
        assert journal.void_owners(tx, ["you"]) == 1
        assert not journal.save(tx, replace(operation, position=7), owner="me")
        again = must_claim(tx, "you")
        assert (again.position, again.epoch) == (0, 3)
        again.position = 1
        assert journal.save(tx, again, owner="you")
        assert journal.get(tx, uuid(1)) == again


def test_to_save_is_to_hear_of_a_cancel(store: Database) -> None:
    with store.write() as tx:
        submit(tx, 1, "server:1", run_at=0)
        submit(tx, 2, "server:1", run_at=500)
        submit(tx, 3, "server:3")
        operation = must_claim(tx)
        heard = [operation.cancel]
        assert journal.cancel_all(tx, "server:1", 7) == 2
        heard.append(operation.cancel)
        assert journal.save(tx, operation, owner="me")
        assert [*heard, operation.cancel] == [False, False, True]
        waiting, other = journal.get(tx, uuid(2)), journal.get(tx, uuid(3))
        assert waiting is not None
        assert (waiting.cancel, waiting.run_at) == (True, 7), "it need not wait to unwind"
        assert other is not None
        assert not other.cancel


def test_steps_are_saved_one_or_many_and_added_behind(store: Database) -> None:
    made = [a_step(1, 0), a_step(1, 1), a_step(2, 0)]
    with store.write() as tx:
        journal.add_steps(tx, made)
        journal.add_steps(tx, [])
        first = a_step(1, 0, state="done", result={"path": "/x"}, started_at=1, ended_at=2)
        second = a_step(
            1, 1, state="undo_failed", place="h", call={"verb": "v"}, sealed_call=b"\0", error="e"
        )
        journal.save_steps(tx, [first])
        assert journal.steps_of(tx, uuid(1)) == [first, made[1]]
        journal.save_steps(tx, [replace(first, result=None), second])
        assert journal.steps_of(tx, uuid(1)) == [replace(first, result=None), second]
        assert journal.steps_of(tx, uuid(2)) == [made[2]]


def test_the_end_frees_the_subjects_and_wipes_what_was_secret(store: Database) -> None:
    with store.write() as tx:
        step = a_step(1, 0, sealed_call=b"sealed")
        submit(tx, 1, "server:1", secrets=b"sealed", steps=[step])
        end(tx, must_claim(tx))
        assert journal.unfinished(tx, "server:1") == 0
        over = journal.get(tx, uuid(1))
        assert over is not None
        assert (over.state, over.secrets) == ("done", None)
        assert journal.steps_of(tx, uuid(1))[0].sealed_call is None
        assert claim(tx) is None
        assert journal.void_owners(tx, []) == 0


def test_what_cannot_be_carried_on_now_is_given_back_for_later(store: Database) -> None:
    with store.write() as tx:
        submit(tx, 1, "server:1")
        operation = must_claim(tx)
        journal.give_back(tx, replace(operation, epoch=operation.epoch + 1), 50)
        assert claim(tx, now=99) is None, "it was not this owner's to give"
        journal.give_back(tx, operation, 50)
        assert claim(tx, now=49) is None
        assert claim(tx, now=50) is not None


def test_fault_16_a_damaged_row_is_named_and_can_be_parked(each_store: Database) -> None:
    with each_store.write() as tx:
        number = submit(tx, 1, "server:1", server_id=uuid(7))
        submit(tx, 2, "server:1")
        tx.run(text("UPDATE operations SET args = '{' WHERE id = :id"), {"id": uuid(1)})
    with pytest.raises(Damaged) as caught, each_store.write() as tx:
        claim(tx)
    assert caught.value.seq == number
    with each_store.write() as tx:
        assert journal.park(tx, number, "no JSON", 9) == ["server:1"]
        assert must_claim(tx).id == uuid(2), "its subject is free"
        tx.run(text("UPDATE operations SET args = '{}' WHERE id = :id"), {"id": uuid(1)})
        parked = journal.get(tx, uuid(1))
        assert parked is not None
        assert (parked.state, parked.ended_at, parked.owner) == ("stuck", 9, None)
        assert parked.error is not None
        assert parked.error["detail"] == "no JSON"
        assert [one.id for one in journal.stuck(tx)] == [uuid(1)]


def test_what_is_parked_names_all_that_it_held(store: Database) -> None:
    with store.write() as tx:
        number = submit(tx, 1, "volume:1", "server:1")
        assert journal.park(tx, number, "old", 9) == ["server:1", "volume:1"]


def test_a_stuck_operation_unwinds_again_from_its_last_begun_step(store: Database) -> None:
    states = ("undone", "undo_failed", "pending", "pending")
    steps = [a_step(1, position, state=state) for position, state in enumerate(states)]
    with store.write() as tx:
        submit(tx, 1, "server:1", "volume:1", steps=steps)
        operation = must_claim(tx)
        operation.attempt = 5
        end(tx, operation, "stuck")
        journal.resume(tx, operation, 20)
        assert journal.unfinished(tx, "volume:1") == 1
        submit(tx, 2, "server:1")
        assert claim(tx, now=19) is None
        again = claim(tx, now=20)
        assert again is not None
        assert (again.id, again.state, again.position, again.attempt) == (uuid(1), "resuming", 1, 0)
        assert [step.state for step in journal.steps_of(tx, uuid(1))] == [
            "done",
            "done",
            "pending",
            "pending",
        ]
        assert journal.stuck(tx) == []


def test_a_server_s_operations_are_its_own_in_order(store: Database) -> None:
    with store.write() as tx:
        for number, server in ((1, "a"), (2, "b"), (3, "a")):
            submit(tx, number, server_id=server)
        assert [one.id for one in journal.of_server(tx, "a")] == [uuid(1), uuid(3)]
        assert journal.of_server(tx, "c") == []
        assert journal.get(tx, uuid(9)) is None


def test_numbers_are_not_given_again(each_store: Database) -> None:
    """An operation that is purged must not leave its number to one that came later."""
    with each_store.write() as tx:
        first = submit(tx, 1)
        tx.run(text("DELETE FROM operations"))
        assert submit(tx, 2) > first


def test_the_look_for_work_does_not_go_through_what_has_ended(sqlite_url: str) -> None:
    """It comes three times with each operation, and the journal is long."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, text: str, values: Any, *_more: object) -> None:
        asked.append((text, values))

    with region_store(sqlite_url) as store:
        event.listen(store.engine, "before_cursor_execute", note)
        with store.write() as tx:
            assert claim(tx) is None
            assert journal.next_run_at(tx, 1) is None
        event.remove(store.engine, "before_cursor_execute", note)
        looks = [(sql, values) for sql, values in asked if "FROM operations" in sql]
        assert len(looks) == 2
        with store.engine.connect() as connection:
            for sql, values in looks:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
                assert any("ix_operations_runnable" in row.detail for row in plan), sql
