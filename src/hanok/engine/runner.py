"""Carries one operation forward, step by step, or back, undo by undo.

Every move is one transaction that writes the step's result, the operation's new position and
whatever the step itself writes, fenced by the owner's incarnation and epoch: a runner that has
lost its operation commits nothing. What a crash leaves is an operation at a position, and the same
move is made again; steps and undos can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from hanok.engine.job import (
    AWAY_SECONDS,
    Context,
    Fenced,
    Job,
    Move,
    failure_of,
    is_permanent,
    planned_steps,
    report,
    report_try,
    with_steps,
)
from hanok.engine.steps import (
    CONTROL,
    ControlStep,
    Extended,
    Failure,
    HostCall,
    HostStep,
    Outcome,
    Poll,
    Step,
    View,
    Wait,
    Work,
)
from hanok.model.errors import HostUnreachable
from hanok.model.moments import SECOND
from hanok.store import journal
from hanok.store.database import Transaction
from hanok.store.journal import OperationRow, StepRow

Call = Callable[[View], HostCall | None]


class Runner:
    """Makes moves for one process; `places` is the live set of places that it serves.

    `announce` tells the other processes, with the transaction's commit, that there is work.
    """

    def __init__(
        self,
        context: Context,
        places: Collection[str],
        announce: Callable[[Transaction], None],
    ) -> None:
        self._database = context.database
        self._clock = context.clock
        self._sealer = context.sealer
        self._perform = context.perform
        self._failpoints = context.failpoints
        self._places = places
        self._announce = announce

    def move(self, job: Job) -> Move:
        """Make the operation's next move and say where it stands; raises Fenced."""
        operation = job.operation
        if operation.state == "unwinding":
            return self._back(job)
        if operation.state == "resuming":
            with self._database.write() as tx:
                unwinding = replace(operation, state="unwinding")
                return self._step_back(tx, job, unwinding, list(job.steps))
        if operation.cancel:
            return self._turn(job, Failure("", "The request was overtaken by another one."))
        if self._clock.now() > operation.deadline_at:
            seconds = int(job.kind.deadline)
            return self._turn(
                job, Failure(self._name(job), f"The operation did not finish within {seconds} s.")
            )
        return self._forward(job)

    # -- forward ---------------------------------------------------------------------------------

    def _forward(self, job: Job) -> Move:
        if job.operation.position >= len(job.steps):
            with self._database.write() as tx:
                return self._end(tx, job, job.operation, Outcome("done"))
        row = job.step
        step = job.kind.step(row.name)
        if isinstance(step, HostStep) and row.call is None:
            return self._prepare(job, row, step)
        started = row.started_at or self._clock.now()
        point = f"{job.kind.name}/{row.key}/do"
        try:
            self._failpoints.reach(f"{point}/start")
            if isinstance(step, HostStep):
                result = self._call(job, row, step.timeout)
                self._failpoints.reach(f"{point}/effect")
                if step.poll is not None and self._asks_again(step.poll, result, started):
                    return self._sleep(job, step.poll.every, 0, replace(row, started_at=started))
                with self._database.write() as tx:
                    move = self._done(tx, job, replace(row, result=result, started_at=started))
            else:
                seen = self._read(job, step, row)
                with self._database.write() as tx:
                    result = step.do(self._work(tx, job, row, seen))
                    self._failpoints.reach(f"{point}/effect")
                    move = self._done(tx, job, replace(row, result=result, started_at=started))
        except Fenced:
            raise
        except Wait as wait:
            return self._sleep(job, wait.seconds, attempt=0)
        except Exception as error:  # noqa: BLE001 - any failure of a step is the operation's
            return self._failed(job, step, error, started)
        self._failpoints.reach(f"{point}/commit")
        return move

    def _prepare(self, job: Job, row: StepRow, step: HostStep) -> Move:
        """Journal the call of a list that begins with a host step."""
        call = step.call(self._view(job, row))
        with self._database.write() as tx:
            if call is None:
                return self._done(tx, job, replace(row, started_at=self._clock.now()))
            steps = list(job.steps)
            steps[row.position] = self._with_call(row, call)
            journal.save_steps(tx, [steps[row.position]])
            return self._save(tx, job, replace(job.operation, place=call.host_id), steps)

    def _done(self, tx: Transaction, job: Job, row: StepRow) -> Move:
        """Journal a finished step, prepare the next one, and end the operation after the last."""
        now = self._clock.now()
        steps = list(job.steps)
        if isinstance(row.result, Extended):
            row = self._extend(tx, job, row, row.result, steps)
        changed = [replace(row, state="done", error=None, ended_at=now)]
        steps[row.position] = changed[0]
        position = row.position + 1
        place = CONTROL
        while position < len(steps):
            step = job.kind.step(steps[position].name)
            if isinstance(step, ControlStep):
                break
            call = step.call(self._view(with_steps(job, steps), steps[position]))
            if call is not None:
                changed.append(self._with_call(steps[position], call))
                place = call.host_id
                break
            changed.append(replace(steps[position], state="done", started_at=now, ended_at=now))
            steps[position] = changed[-1]
            position += 1
        for one in changed:
            steps[one.position] = one
        journal.save_steps(tx, changed)
        operation = replace(job.operation, position=position, place=place, attempt=0, run_at=now)
        if position == len(steps):
            job.steps = steps
            return self._end(tx, job, operation, Outcome("done"))
        return self._save(tx, job, operation, steps)

    def _extend(
        self, tx: Transaction, job: Job, row: StepRow, more: Extended, steps: list[StepRow]
    ) -> StepRow:
        """Journal what a finished step adds to the operation; return it with its own result."""
        added = planned_steps(row.operation_id, more.plan, len(steps))
        journal.add_steps(tx, added)
        steps += added
        if more.secrets:
            # Ahead of the commit, as the next call is made of them; a step done again has the same.
            job.secrets = {**job.secrets, **more.secrets}
            job.operation.secrets = self._sealer.seal(job.operation.id, job.secrets)
            journal.keep_secrets(tx, job.operation, job.operation.secrets)
        return replace(row, result=more.result)

    def _failed(self, job: Job, step: Step, error: Exception, started: int) -> Move:
        """Try a failed step again after a pause, or turn round."""
        attempt = job.operation.attempt + 1
        permanent = is_permanent(error)
        report_try(job, job.step.key, "step failed", attempt, error, permanent=permanent)
        pause = step.retry.pause(attempt)
        passed = (self._clock.now() - started) / SECOND
        away = isinstance(error, HostUnreachable) and passed + pause <= AWAY_SECONDS
        if not permanent and (attempt < step.retry.times or away):
            return self._sleep(job, pause, attempt, replace(job.step, started_at=started))
        return self._turn(job, failure_of(step.name, error))

    # -- back ------------------------------------------------------------------------------------

    def _turn(self, job: Job, failure: Failure) -> Move:
        """Start to unwind, from the step at hand (it may be half done)."""
        operation = replace(
            job.operation,
            state="unwinding",
            position=min(job.operation.position, len(job.steps) - 1),
            attempt=0,
            run_at=self._clock.now(),
            error={
                "step": failure.step,
                "message": failure.message,
                "detail": failure.detail,
                "cancelled": job.operation.cancel,
            },
        )
        with self._database.write() as tx:
            return self._step_back(tx, job, operation, list(job.steps))

    def _step_back(
        self, tx: Transaction, job: Job, operation: OperationRow, steps: list[StepRow]
    ) -> Move:
        """Find the next step that has something to undo; end the operation when none is left."""
        now = self._clock.now()
        changed: list[StepRow] = []
        position = operation.position
        place = CONTROL
        while position >= 0:
            row = steps[position]
            step = job.kind.step(row.name)
            over = row.state in ("undone", "undo_failed")
            if not over and isinstance(step, ControlStep) and step.undo:
                break
            if not over and isinstance(step, HostStep) and step.undo:
                row = self._with_undo(job, step.undo, row, steps)
                if row is not steps[position]:
                    steps[position] = row
                    changed.append(row)
                    if row.state != "undo_failed":
                        place = row.place
                        break
            if row.state == "done":
                steps[position] = replace(row, state="undone", ended_at=now)
                changed.append(steps[position])
            position -= 1
        if changed:
            journal.save_steps(tx, changed)
        operation = replace(operation, position=max(position, 0), place=place, attempt=0)
        if position >= 0:
            return self._save(tx, job, operation, steps)
        job.steps = steps
        state = "stuck" if any(row.state == "undo_failed" for row in steps) else "undone"
        error = operation.error or {}
        failure = Failure(error["step"], error["message"], error["detail"])
        return self._end(tx, job, operation, Outcome(state, failure, bool(error["cancelled"])))

    def _with_undo(self, job: Job, undo: Call, row: StepRow, steps: list[StepRow]) -> StepRow:
        """Journal the call that undoes a step, if any; one that can't be named failed for good."""
        try:
            call = undo(self._view(with_steps(job, steps), row))
        except Exception as error:  # noqa: BLE001 - a bug here must not stop the other undos
            report_try(job, row.key, "undo failed", 1, error, final=True)
            return replace(row, state="undo_failed", error=repr(error))
        return row if call is None else self._with_call(row, call)

    def _back(self, job: Job) -> Move:
        """Undo the step at the position."""
        row = job.step
        step = job.kind.step(row.name)
        point = f"{job.kind.name}/{row.key}/undo"
        try:
            self._failpoints.reach(f"{point}/start")
            if isinstance(step, HostStep):
                self._call(job, row, step.timeout)
                self._failpoints.reach(f"{point}/effect")
                with self._database.write() as tx:
                    move = self._undone(tx, job, replace(row, state="undone"))
            else:
                with self._database.write() as tx:
                    if step.undo is not None:
                        step.undo(self._work(tx, job, row))
                    self._failpoints.reach(f"{point}/effect")
                    move = self._undone(tx, job, replace(row, state="undone"))
        except Fenced:
            raise
        except Exception as error:  # noqa: BLE001 - any failure of an undo is the operation's
            return self._undo_failed(job, step, error)
        self._failpoints.reach(f"{point}/commit")
        return move

    def _undone(self, tx: Transaction, job: Job, row: StepRow) -> Move:
        row = replace(row, ended_at=self._clock.now())
        journal.save_steps(tx, [row])
        steps = list(job.steps)
        steps[row.position] = row
        operation = replace(job.operation, position=row.position - 1)
        return self._step_back(tx, job, operation, steps)

    def _undo_failed(self, job: Job, step: Step, error: Exception) -> Move:
        """Try an undo again, or leave it for an operator and go on with the others."""
        attempt = job.operation.attempt + 1
        final = attempt >= step.undo_retry.times
        report_try(job, job.step.key, "undo failed", attempt, error, final=final)
        if not final:
            return self._sleep(job, step.undo_retry.pause(attempt), attempt)
        with self._database.write() as tx:
            return self._undone(tx, job, replace(job.step, state="undo_failed", error=str(error)))

    # -- shared ----------------------------------------------------------------------------------

    def _call(self, job: Job, row: StepRow, timeout: float) -> Any:
        args = row.call or {}
        if row.sealed_call is not None:
            args = self._sealer.open(job.operation.id, row.sealed_call)  # type: ignore[assignment]
        return self._perform(row.place, args["verb"], args["args"], timeout)

    def _with_call(self, row: StepRow, call: HostCall) -> StepRow:
        """Journal the arguments of a host step, sealed when they are secret."""
        body = {"verb": call.verb, "args": call.args}
        if call.secret:
            sealed = self._sealer.seal(row.operation_id, body)
            return replace(row, place=call.host_id, call={"verb": call.verb}, sealed_call=sealed)
        return replace(row, place=call.host_id, call=body, sealed_call=None)

    def _asks_again(self, poll: Poll, result: Any, started: int) -> bool:
        over = self._clock.now() - started >= int(poll.patience * SECOND)
        return not over and not poll.enough(result)

    def _sleep(self, job: Job, seconds: float, attempt: int, row: StepRow | None = None) -> Move:
        """Let go of the operation until a moment; what waits is a row, not a thread."""
        run_at = self._clock.now() + int(seconds * SECOND)
        with self._database.write() as tx:
            if row is not None:
                journal.save_steps(tx, [row])
            operation = replace(job.operation, run_at=run_at, attempt=attempt, owner=None)
            return self._save(tx, job, operation, job.steps)

    def _save(
        self, tx: Transaction, job: Job, operation: OperationRow, steps: list[StepRow]
    ) -> Move:
        owner = job.operation.owner or ""
        here = job.operation.place
        served = operation.place in self._places
        if not served:
            operation.owner = None
        if not journal.save(tx, operation, owner=owner):
            raise Fenced
        if not served:
            self._announce(tx)
        job.operation, job.steps = operation, steps
        if operation.owner is None:
            return Move.LET_GO
        return Move.ON if operation.place == here else Move.AWAY

    def _end(self, tx: Transaction, job: Job, operation: OperationRow, outcome: Outcome) -> Move:
        """End the operation: rows settled, subjects free, secrets wiped, all in one commit.

        One that is stuck keeps its secrets: once it is resumed, its undos need them.
        """
        now = self._clock.now()
        last = job.steps[-1] if job.steps else StepRow("", 0, "", "", {}, "", "", *[None] * 6)
        job.kind.settle(self._work(tx, job, last), outcome)
        owner = job.operation.owner or ""
        operation = replace(operation, state=outcome.state, ended_at=now, owner=None, place=CONTROL)
        if not journal.save(tx, operation, owner=owner):
            raise Fenced
        journal.release(tx, operation, wipe=outcome.state != "stuck")
        job.operation = operation
        tx.after_commit(lambda: report(job, outcome))
        return Move.ENDED

    def _view(self, job: Job, row: StepRow) -> View:
        operation = job.operation
        return View(
            operation_id=operation.id,
            project_id=operation.project_id,
            server_id=operation.server_id,
            intent=operation.args,
            key=row.key,
            args=row.args,
            results={s.key: s.result for s in job.steps if s.state != "pending"},
            secrets=job.secrets,
        )

    def _read(self, job: Job, step: ControlStep, row: StepRow) -> Any:
        if step.read is None:
            return None
        with self._database.read() as reader:
            return step.read(self._view(job, row), reader)

    def _work(self, tx: Transaction, job: Job, row: StepRow, seen: Any = None) -> Work:
        view = self._view(job, row)
        values = {name: getattr(view, name) for name in View.__slots__}
        return Work(**values, tx=tx, now=self._clock.now(), sealer=self._sealer, seen=seen)

    @staticmethod
    def _name(job: Job) -> str:
        return job.step.name if job.operation.position < len(job.steps) else ""
