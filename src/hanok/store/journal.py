"""The journal of durable operations: statements over operations, their steps and subjects."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, delete, exists, func, insert, select, update

from hanok.store.database import Reader, Transaction
from hanok.store.journal_tables import operation_steps, operation_subjects, operations


@dataclass(slots=True)
class OperationRow:
    """An operation as stored; moments in microseconds. Mirrors its row while it is owned."""

    seq: int
    id: str
    kind: str
    state: str
    project_id: str
    server_id: str | None
    args: dict[str, Any]
    subjects: list[str]
    secrets: bytes | None
    position: int
    place: str
    run_at: int
    deadline_at: int
    attempt: int
    cancel: bool
    owner: str | None
    epoch: int
    error: dict[str, Any] | None
    submitted_at: int
    ended_at: int | None


@dataclass(slots=True)
class StepRow:
    """A step as stored."""

    operation_id: str
    position: int
    name: str
    key: str
    args: dict[str, Any]
    state: str
    place: str
    call: dict[str, Any] | None
    sealed_call: bytes | None
    result: Any
    error: str | None
    started_at: int | None
    ended_at: int | None


_insert_operation = insert(operations)
_insert_steps = insert(operation_steps)
_insert_subjects = insert(operation_subjects)


def submit(tx: Transaction, values: Mapping[str, Any], steps: Sequence[StepRow]) -> int:
    """Store an operation, its expanded list and its places in the queues; return its number."""
    seq = int(tx.scalar(_insert_operation.returning(operations.c.seq), values))
    add_steps(tx, steps)
    _queue(tx, seq, values["subjects"])
    return seq


def add_steps(tx: Transaction, steps: Sequence[StepRow]) -> None:
    """Store further steps of an operation."""
    if steps:
        tx.run(_insert_steps, [asdict(step) for step in steps])


def _queue(tx: Transaction, seq: int, subjects: Sequence[str]) -> None:
    if subjects:
        tx.run(_insert_subjects, [{"subject": s, "seq": seq, "held": False} for s in subjects])


_others = select(operation_subjects.c.seq).where(
    operation_subjects.c.subject == bindparam("subject")
)
_cancel = (
    update(operations)
    .where(operations.c.seq.in_(_others), operations.c.ended_at.is_(None))
    .values(cancel=True, run_at=bindparam("now"))
)


def cancel_all(tx: Transaction, subject: str, now: int) -> int:
    """Ask every unfinished operation on `subject` to stop at its next boundary."""
    return tx.run(_cancel, {"subject": subject, "now": now})


_mine = operation_subjects.alias("mine")
_earlier = operation_subjects.alias("earlier")
_blocked = exists(
    select(_mine.c.seq)
    .join(_earlier, and_(_earlier.c.subject == _mine.c.subject, _earlier.c.seq < _mine.c.seq))
    .where(_mine.c.seq == operations.c.seq)
)
_any_runnable = (
    select(operations.c.seq)
    .where(
        operations.c.ended_at.is_(None),
        operations.c.owner.is_(None),
        operations.c.run_at <= bindparam("now"),
        operations.c.place.in_(bindparam("places", expanding=True)),
        ~_blocked,
    )
    # A sum, as in the order of `seq` itself SQLite would go through all that has ever ended.
    .order_by(operations.c.seq + 0)
    .limit(1)
)
_runnable = _any_runnable.with_for_update(skip_locked=True)
_by_seq = select(operations).where(operations.c.seq == bindparam("number"))
_take = (
    update(operations)
    .where(operations.c.seq == bindparam("number"))
    .values(
        owner=bindparam("new_owner"),
        epoch=operations.c.epoch + 1,
        state=bindparam("new_state"),
    )
)
_hold = (
    update(operation_subjects)
    .where(operation_subjects.c.seq == bindparam("number"))
    .values(held=True)
)


class Damaged(Exception):
    """A journal row that cannot be read; `seq` is its operation's number."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(reason)
        self.seq = seq


def claim(
    tx: Transaction, owner: str, places: Collection[str], now: int
) -> tuple[OperationRow, list[StepRow]] | None:
    """Take the oldest operation that may run at one of `places` now, or None.

    Its subjects become held: a partial unique index refuses a second holder.
    Raises Damaged when the journal of that operation cannot be read.
    """
    seq = tx.scalar(_runnable, {"now": now, "places": list(places)})
    if seq is None:
        return None
    try:
        row = tx.first(_by_seq, {"number": seq})
        assert row is not None  # noqa: S101 - just selected, in this transaction
        operation = OperationRow(**row._mapping)
        steps = steps_of(tx, operation.id)
    except msgspec.DecodeError as error:
        raise Damaged(seq, str(error)) from error
    operation.owner = owner
    operation.epoch += 1
    if operation.state == "queued":
        operation.state = "running"
    tx.run(_take, {"number": seq, "new_owner": owner, "new_state": operation.state})
    tx.run(_hold, {"number": seq})
    return operation, steps


def park(tx: Transaction, seq: int, reason: str, now: int) -> list[str]:
    """End an operation that cannot be carried on, visibly; return the subjects that it held."""
    error = {"step": "", "message": "The operation's journal cannot be read.", "detail": reason}
    tx.run(
        update(operations)
        .where(operations.c.seq == seq)
        .values(state="stuck", ended_at=now, owner=None, error=error)
    )
    held = tx.rows(select(operation_subjects.c.subject).where(operation_subjects.c.seq == seq))
    tx.run(_release, {"number": seq})
    return sorted(row.subject for row in held)


_steps = (
    select(operation_steps)
    .where(operation_steps.c.operation_id == bindparam("id"))
    .order_by(operation_steps.c.position)
)


def steps_of(reader: Reader, operation_id: str) -> list[StepRow]:
    """Return an operation's steps in order."""
    return [StepRow(**row._mapping) for row in reader.rows(_steps, {"id": operation_id})]


_fenced = and_(
    operations.c.id == bindparam("fence_id"),
    operations.c.owner == bindparam("fence_owner"),
    operations.c.epoch == bindparam("fence_epoch"),
)
_advance = (
    update(operations)
    .where(_fenced)
    .values(
        state=bindparam("state"),
        position=bindparam("position"),
        place=bindparam("place"),
        run_at=bindparam("run_at"),
        attempt=bindparam("attempt"),
        owner=bindparam("owner"),
        error=bindparam("error", type_=operations.c.error.type),
        ended_at=bindparam("ended_at"),
    )
    .returning(operations.c.cancel)
)


def save(tx: Transaction, operation: OperationRow, *, owner: str) -> bool:
    """Write an owned operation back; False when this owner no longer holds it (fenced off).

    Takes over `cancel` as it stands in the database.
    """
    row = tx.first(
        _advance,
        {
            "fence_id": operation.id,
            "fence_owner": owner,
            "fence_epoch": operation.epoch,
            "state": operation.state,
            "position": operation.position,
            "place": operation.place,
            "run_at": operation.run_at,
            "attempt": operation.attempt,
            "owner": operation.owner,
            "error": operation.error,
            "ended_at": operation.ended_at,
        },
    )
    if row is None:
        return False
    operation.cancel = bool(row.cancel)
    return True


_save_step = (
    update(operation_steps)
    .where(
        operation_steps.c.operation_id == bindparam("of_operation"),
        operation_steps.c.position == bindparam("at_position"),
    )
    .values(
        state=bindparam("state"),
        place=bindparam("place"),
        call=bindparam("call", type_=operation_steps.c.call.type),
        sealed_call=bindparam("sealed_call"),
        result=bindparam("result", type_=operation_steps.c.result.type),
        error=bindparam("error"),
        started_at=bindparam("started_at"),
        ended_at=bindparam("ended_at"),
    )
)


def save_steps(tx: Transaction, steps: Sequence[StepRow]) -> None:
    """Write steps back."""
    parameters = [
        {
            "of_operation": step.operation_id,
            "at_position": step.position,
            "state": step.state,
            "place": step.place,
            "call": step.call,
            "sealed_call": step.sealed_call,
            "result": step.result,
            "error": step.error,
            "started_at": step.started_at,
            "ended_at": step.ended_at,
        }
        for step in steps
    ]
    tx.run(_save_step, parameters if len(parameters) > 1 else parameters[0])


_release = delete(operation_subjects).where(operation_subjects.c.seq == bindparam("number"))
_keep = update(operations).where(operations.c.id == bindparam("of_operation"))
_wipe_steps = (
    update(operation_steps)
    .where(operation_steps.c.operation_id == bindparam("of_operation"))
    .values(sealed_call=None)
)


def keep_secrets(tx: Transaction, operation: OperationRow, sealed: bytes | None) -> None:
    """Store an owned operation's secrets anew; `save` in the same transaction fences it."""
    tx.run(_keep.values(secrets=sealed), {"of_operation": operation.id})


def release(tx: Transaction, operation: OperationRow, *, wipe: bool = True) -> None:
    """Leave the queues of an ended operation's subjects; `wipe` its secrets."""
    tx.run(_release, {"number": operation.seq})
    if wipe and operation.secrets is not None:
        keep_secrets(tx, operation, None)
        tx.run(_wipe_steps, {"of_operation": operation.id})


_next = select(func.min(operations.c.run_at)).where(
    operations.c.ended_at.is_(None),
    operations.c.owner.is_(None),
    operations.c.run_at > bindparam("now"),
)


def next_run_at(reader: Reader, now: int) -> int | None:
    """Return when the next waiting operation wants to run, or None."""
    value = reader.scalar(_next, {"now": now})
    return None if value is None else int(value)


def void_owners(tx: Transaction, keep: Collection[str]) -> int:
    """Free operations owned by any incarnation not in `keep`; their commits are fenced off."""
    statement = (
        update(operations)
        .where(
            operations.c.ended_at.is_(None),
            operations.c.owner.is_not(None),
            operations.c.owner.not_in(list(keep)),
        )
        .values(owner=None, epoch=operations.c.epoch + 1)
    )
    return tx.run(statement)


def get(reader: Reader, operation_id: str) -> OperationRow | None:
    """Return one operation."""
    row = reader.first(select(operations).where(operations.c.id == operation_id))
    return None if row is None else OperationRow(**row._mapping)


def of_server(reader: Reader, server_id: str) -> list[OperationRow]:
    """Return a server's operations, oldest first."""
    statement = (
        select(operations).where(operations.c.server_id == server_id).order_by(operations.c.seq)
    )
    return [OperationRow(**row._mapping) for row in reader.rows(statement)]


def unfinished(reader: Reader, subject: str) -> int:
    """Count the unfinished operations that name `subject`."""
    statement = select(func.count()).where(operation_subjects.c.subject == subject)
    return int(reader.scalar(statement))


def stuck(reader: Reader) -> list[OperationRow]:
    """Return the operations that wait for an operator."""
    statement = select(operations).where(operations.c.state == "stuck").order_by(operations.c.seq)
    return [OperationRow(**row._mapping) for row in reader.rows(statement)]


def resume(tx: Transaction, operation: OperationRow, now: int) -> None:
    """Let a stuck operation unwind again from its end, alone on its subjects as before.

    Undos that worked are made again, too: they can be repeated, and may build on each other.
    """
    begun = and_(
        operation_steps.c.operation_id == operation.id, operation_steps.c.state != "pending"
    )
    position = tx.scalar(select(func.max(operation_steps.c.position)).where(begun))
    _queue(tx, operation.seq, operation.subjects)
    tx.run(update(operation_steps).where(begun).values(state="done"))
    tx.run(
        update(operations)
        .where(operations.c.id == operation.id, operations.c.state == "stuck")
        .values(state="resuming", ended_at=None, run_at=now, attempt=0, position=position or 0)
    )


def has_runnable(reader: Reader, places: Collection[str], now: int) -> bool:
    """Tell, without a lock, whether `claim` would find something."""
    return reader.first(_any_runnable, {"now": now, "places": list(places)}) is not None


def give_back(tx: Transaction, operation: OperationRow, run_at: int) -> None:
    """Free an operation that its owner cannot carry on now."""
    tx.run(
        update(operations)
        .where(
            operations.c.id == operation.id,
            operations.c.owner == operation.owner,
            operations.c.epoch == operation.epoch,
            operations.c.ended_at.is_(None),
        )
        .values(owner=None, run_at=run_at)
    )
