"""Decides which operation runs when and where, in this process.

One thread claims runnable operations from the store; each place (the control place and every host
of this process) has a lane: a queue and a few daemon threads. An operation moves from lane to lane
with its steps, so a host that hangs blocks its own lane and no other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any

import structlog
from cryptography.exceptions import InvalidTag

from hanok.engine.job import Context, Fenced, Job, Move, planned_steps
from hanok.engine.presence import Presence
from hanok.engine.runner import Runner
from hanok.engine.steps import CONTROL, Operation, Submission
from hanok.model.errors import NotFound
from hanok.model.moments import SECOND
from hanok.store import journal
from hanok.store.database import Transaction

log = structlog.get_logger("hanok.engine")
_IN_FLIGHT = 64
_HEARTBEAT = 5 * SECOND
_LOOK_SECONDS = 1.0
"""How long the look for work that is under way may take when the engine stops."""
Parked = Callable[[Transaction, Sequence[str], str, int], None]
"""Told in the parking transaction of an unreadable operation: (tx, subjects, reason, now)."""


class Lane:
    """A place's queue and its threads."""

    def __init__(self, name: str, threads: int, run: Callable[[Job], None]) -> None:
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = threads
        self._run = run
        self._guard = threading.Lock()
        self._closed = False
        for number in range(threads):
            threading.Thread(
                target=self._work, name=f"lane-{name[:8]}-{number}", daemon=True
            ).start()

    def put(self, job: Job) -> bool:
        """Queue a job behind the others of this place; False where the lane is closed."""
        with self._guard:
            if not self._closed:
                self._queue.put(job)
            return not self._closed

    def close(self) -> None:
        """Take no more jobs, and let each thread end behind those that are queued."""
        with self._guard:
            self._closed = True
            for _ in range(self._threads):
                self._queue.put(None)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            self._run(job)


class Engine:
    """The durable engine of one region in one process. Register kinds, serve places, start."""

    def __init__(self, context: Context, kinds: Sequence[Operation], parked: Parked) -> None:
        self._database = context.database
        self._clock = context.clock
        self._sealer = context.sealer
        self._kinds: Mapping[str, Operation] = {kind.kind: kind for kind in kinds}
        self._parked = parked
        self._lanes: dict[str, Lane] = {}
        self._changed = threading.Condition()
        self._woken = True
        self._stopping = False
        self._in_flight = 0
        self._presence = Presence(context.database, context.clock, self.wake)
        self._dispatcher = threading.Thread(
            target=self._dispatch, name="engine-dispatch", daemon=True
        )
        self._runner = Runner(context, self._lanes.keys(), self._presence.announce)

    # -- for the API -----------------------------------------------------------------------------

    def submit(self, tx: Transaction, submission: Submission) -> str:
        """Store an operation in the request's own transaction; it runs once that is committed.

        Returns its id. With `overtake`, everything unfinished on the first subject is asked to
        stop and unwind, and this one waits behind it.
        """
        kind = self._kinds[submission.kind]
        now = self._clock.now()
        operation_id = self._clock.new_id()
        if submission.overtake:
            journal.cancel_all(tx, submission.subjects[0], now)
        values = {
            "id": operation_id,
            "kind": kind.kind,
            "state": "queued",
            "project_id": submission.project_id,
            "server_id": submission.server_id,
            "args": dict(submission.intent),
            "subjects": list(submission.subjects),
            "secrets": (
                self._sealer.seal(operation_id, dict(submission.secrets))
                if submission.secrets
                else None
            ),
            "place": CONTROL,
            "run_at": now,
            "deadline_at": now + int(kind.deadline * SECOND),
            "submitted_at": now,
        }
        for planned in submission.plan:
            kind.step(planned.name)
        steps = planned_steps(operation_id, submission.plan, 0)
        journal.submit(tx, values, steps)
        self._presence.announce(tx)
        tx.after_commit(self.wake)
        return operation_id

    def resume(self, operation_id: str) -> None:
        """Try the failed undos of a stuck operation again; NotFound when there is none such."""
        with self._database.write() as tx:
            operation = journal.get(tx, operation_id)
            if operation is None or operation.state != "stuck":
                raise NotFound(f"No stuck operation {operation_id}.")
            journal.resume(tx, operation, self._clock.now())
            self._presence.announce(tx)
            tx.after_commit(self.wake)

    # -- life ------------------------------------------------------------------------------------

    def start(self, control_threads: int = 4) -> None:
        """Take over what dead processes left and begin to run operations."""
        self._presence.enter()
        self.serve(CONTROL, control_threads)
        self._dispatcher.start()

    def serve(self, place: str, threads: int = 4) -> None:
        """Run the steps that belong to `place` in this process from now on."""
        if place not in self._lanes:
            self._lanes[place] = Lane(place, threads, self._run)
        self.wake()

    def stop(self) -> None:
        """Make no further move; a commit in hand is finished, a host call is abandoned."""
        self._stopping = True
        self.wake()
        if self._dispatcher.is_alive():
            self._dispatcher.join(_LOOK_SECONDS)
        for lane in self._lanes.values():
            lane.close()
        self._presence.leave()

    def wake(self) -> None:
        """Look for runnable operations soon."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    @property
    def in_flight(self) -> int:
        """The number of operations that this process holds now."""
        return self._in_flight

    # -- threads ---------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        while not self._stopping:
            try:
                self._presence.check()
                while self._in_flight < _IN_FLIGHT and self._claim_one():
                    pass
                until = self._next_look()
            except Exception:
                log.exception("the engine could not look for work; it tries again")
                until = self._clock.now() + SECOND
            with self._changed:
                while not self._woken and self._clock.now() < until:
                    self._clock.wait(self._changed, until)
                self._woken = False

    def _next_look(self) -> int:
        now = self._clock.now()
        with self._database.read() as reader:
            run_at = journal.next_run_at(reader, now)
        latest = now + _HEARTBEAT
        return latest if run_at is None else min(run_at, latest)

    def _claim_one(self) -> bool:
        if self._stopping:
            return False
        with self._database.read() as reader:
            if not journal.has_runnable(reader, self._lanes.keys(), self._clock.now()):
                return False
        try:
            with self._database.write() as tx:
                claimed = journal.claim(
                    tx, self._presence.id, self._lanes.keys(), self._clock.now()
                )
        except journal.Damaged as damaged:
            self._park(damaged.seq, str(damaged))
            return True
        if claimed is None:
            return False
        operation, steps = claimed
        kind = self._kinds.get(operation.kind)
        if kind is None or any(step.name not in {s.name for s in kind.steps} for step in steps):
            self._park(operation.seq, f"this release does not know {operation.kind}")
            return True
        secrets: Any = {}
        if operation.secrets is not None:
            try:
                secrets = self._sealer.open(operation.id, operation.secrets)
            except (InvalidTag, ValueError) as error:
                self._park(operation.seq, f"its secrets cannot be opened: {error!r}")
                return True
        with self._changed:
            self._in_flight += 1
        self._hand_on(Job(kind, operation, steps, secrets))
        return True

    def _hand_on(self, job: Job) -> None:
        """Give a job to the lane of its place, or let go of it where the engine has stopped."""
        if not self._lanes[job.operation.place].put(job):
            self._let_go()

    def _let_go(self) -> None:
        with self._changed:
            self._in_flight -= 1
        self.wake()

    def _park(self, seq: int, reason: str) -> None:
        log.error("operation parked", seq=seq, reason=reason)
        now = self._clock.now()
        with self._database.write() as tx:
            self._parked(tx, journal.park(tx, seq, reason, now), reason, now)

    def _run(self, job: Job) -> None:
        """Make a job's moves until it leaves this lane."""
        try:
            while not self._stopping:
                move = self._runner.move(job)
                if move is Move.AWAY:
                    self._hand_on(job)
                    return
                if move is not Move.ON:
                    break
        except Fenced:
            log.warning("operation lost to another process", operation=job.operation.id)
        except Exception:
            log.exception("a move could not be committed", operation=job.operation.id)
            self._give_back(job)
        self._let_go()

    def _give_back(self, job: Job) -> None:
        """Let go of an operation whose move could not be committed; retried until that works."""
        try:
            with self._database.write() as tx:
                journal.give_back(tx, job.operation, self._clock.now() + SECOND)
        except Exception:
            log.exception("the operation stays with this process", operation=job.operation.id)
            timer = threading.Timer(1.0, self._give_back, (job,))
            timer.daemon = True
            timer.start()
