"""An engine over toy operations: the engine's own tests need no server and no host."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from hanok.engine.clock import SystemClock
from hanok.engine.dispatch import Engine
from hanok.engine.failpoints import Failpoints
from hanok.engine.job import Context
from hanok.engine.sealing import Sealer
from hanok.engine.steps import ControlStep, Operation, Outcome, Planned, Retry, Submission, Work
from hanok.model.errors import HostError
from hanok.store import journal
from hanok.store.database import Database
from hanok.store.journal import OperationRow, StepRow
from tests.prepared import open_region


class FastClock(SystemClock):
    """Real time, fifty times faster: pauses between tries last milliseconds."""

    SPEED = 50

    def __init__(self) -> None:
        super().__init__()
        self._start = super().now()

    def now(self) -> int:
        return self._start + (super().now() - self._start) * self.SPEED

    def wait(self, condition: threading.Condition, until: int | None) -> None:
        seconds = None if until is None else max(0.0, (until - self.now()) / 1e6 / self.SPEED)
        condition.wait(seconds)


def open_store(url: str) -> Database:
    return open_region(url)


@dataclass
class ToyWorld:
    """One process's engine; `performed` lists the host calls, `ended` the outcomes."""

    url: str
    folder: Path
    reached: Callable[[str], None] | None = None
    performed: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    ended: list[tuple[str, Outcome]] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)
    perform: Callable[[str, str, Mapping[str, Any], float], Any] | None = None
    engines: list[Engine] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = open_store(self.url)
        self.clock = FastClock()
        self.sealer = Sealer.from_file(self.folder / "key", self.clock.random_bytes)

    def settle(self, work: Work, outcome: Outcome) -> None:
        operation_id = work.operation_id
        work.tx.after_commit(lambda: self.ended.append((operation_id, outcome)))

    def engine(self, *kinds: Operation) -> Engine:
        def perform(host: str, verb: str, args: Mapping[str, Any], timeout: float) -> Any:
            self.performed.append((host, verb, args))
            return None if self.perform is None else self.perform(host, verb, args, timeout)

        context = Context(self.store, self.clock, self.sealer, perform, Failpoints(self.reached))
        engine = Engine(
            context, kinds, lambda _tx, _subjects, reason, _now: self.parked.append(reason)
        )
        self.engines.append(engine)
        return engine

    def close(self) -> None:
        """Stop every engine, wait for the moves in hand, and close the store."""
        for engine in self.engines:
            engine.stop()
        until = time.monotonic() + 5
        while any(engine.in_flight for engine in self.engines) and time.monotonic() < until:
            time.sleep(0.01)
        self.store.close()

    def submit(self, engine: Engine, kind: Operation, *keys: str, **options: Any) -> str:
        """Submit an operation with a step for each key `name` or `name:suffix`."""
        submission = Submission(
            kind=kind.kind,
            project_id="p" * 32,
            server_id=options.pop("server_id", None),
            intent=options.pop("intent", {}),
            plan=tuple(Planned(key.partition(":")[0], key) for key in keys),
            subjects=options.pop("subjects", ("server:1",)),
            **options,
        )
        with self.store.write() as tx:
            return engine.submit(tx, submission)

    def wait(self, operation_id: str, seconds: float = 20.0) -> OperationRow:
        """Wait until an operation has ended and return its row."""
        until = time.monotonic() + seconds
        row = None
        while time.monotonic() < until:
            with self.store.read() as reader:
                row = journal.get(reader, operation_id)
            if row is not None and row.ended_at is not None:
                return row
            time.sleep(0.005)
        raise AssertionError(f"operation {operation_id} did not end: {row}")

    def steps(self, operation_id: str) -> list[StepRow]:
        with self.store.read() as reader:
            return journal.steps_of(reader, operation_id)

    def execute(self, sql: str) -> None:
        """Change the store behind the engine's back."""
        with self.store.write() as tx:
            tx.run(text(sql))


def kind(world: ToyWorld, *steps: Any, deadline: float = 600.0, version: int = 1) -> Operation:
    return Operation("toy", version, tuple(steps), world.settle, deadline)


class Tape:
    """Notes what steps did; fails where it is told to."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.fail: dict[str, int] = {}
        self.permanent = False

    def note(self, what: str) -> None:
        self.did.append(what)
        if self.fail.get(what, 0) > 0:
            self.fail[what] -= 1
            raise HostError(f"{what} failed", detail="inside", permanent=self.permanent)

    def control(self, name: str, *, undo: bool = True, times: int = 3) -> ControlStep:
        retry = Retry(times=times, first=0.1, factor=1.0)
        return ControlStep(
            name,
            lambda work: self.note(f"do {work.key}"),
            (lambda work: self.note(f"undo {work.key}")) if undo else None,
            retry=retry,
            undo_retry=retry,
        )
