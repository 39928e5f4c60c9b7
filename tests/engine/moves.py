"""A runner without threads, and the toy operations that its tests give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from hanok.engine.clock import VirtualClock
from hanok.engine.dispatch import Engine
from hanok.engine.job import Context, Job, Move
from hanok.engine.runner import Runner
from hanok.engine.sealing import Sealer
from hanok.engine.steps import (
    CONTROL,
    ControlStep,
    HostCall,
    HostStep,
    Operation,
    Outcome,
    Planned,
    Submission,
    View,
    Work,
)
from hanok.store import journal
from hanok.store.journal import OperationRow, StepRow
from hanok.store.region_tables import zones
from tests.engine.world import open_store

HERE, ELSEWHERE = "host-1", "host-2"


@dataclass
class Bench:
    """A store and a runner that serves the control place and one host."""

    url: str
    folder: Path
    answer: Callable[[str, Mapping[str, Any]], Any] = lambda _verb, _args: None
    performed: list[tuple[str, str, Any, float]] = field(default_factory=list)
    ended: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = open_store(self.url)
        self.clock = VirtualClock()
        sealer = Sealer.from_file(self.folder / "key", self.clock.random_bytes)
        self.context = Context(self.store, self.clock, sealer, self._perform)
        self.runner = Runner(self.context, {CONTROL, HERE}, lambda _tx: None)

    def _perform(self, host: str, verb: str, args: Mapping[str, Any], timeout: float) -> Any:
        self.performed.append((host, verb, dict(args), timeout))
        return self.answer(verb, args)

    def settle(self, work: Work, outcome: Outcome) -> None:
        work.tx.after_commit(lambda: self.ended.append(outcome))

    def job(
        self,
        *steps: ControlStep | HostStep,
        plan: tuple[str, ...] | None = None,
        deadline: float = 600,
        **more: Any,
    ) -> Job:
        """Submit a toy operation of these steps and take it."""
        kind = Operation("toy", 1, steps, self.settle, deadline)
        names = plan if plan is not None else tuple(step.name for step in steps)
        submission = Submission(
            kind=kind.kind,
            project_id="p",
            server_id=None,
            intent=more.pop("intent", {}),
            plan=tuple(Planned(name.partition(":")[0], name) for name in names),
            subjects=("server:1",),
            **more,
        )
        engine = Engine(self.context, [kind], lambda *_: None)
        with self.store.write() as tx:
            engine.submit(tx, submission)
        return self.take(kind, submission.secrets)

    def take(self, kind: Operation, secrets: Mapping[str, Any] | None = None) -> Job:
        with self.store.write() as tx:
            claimed = journal.claim(tx, "me", [CONTROL, HERE, ELSEWHERE], self.clock.now())
        assert claimed is not None
        return Job(kind, *claimed, secrets or {})

    def go(self, job: Job, most: int = 50) -> Move:
        """Make moves until the operation waits, is elsewhere, or has ended."""
        for _ in range(most):
            move = self.runner.move(job)
            if move in (Move.LET_GO, Move.ENDED):
                return move
        raise AssertionError("it goes on and on")

    def row(self, job: Job) -> OperationRow:
        with self.store.read() as reader:
            found = journal.get(reader, job.operation.id)
        assert found is not None
        return found

    def steps(self, job: Job) -> list[StepRow]:
        with self.store.read() as reader:
            return journal.steps_of(reader, job.operation.id)

    def zones(self) -> int:
        with self.store.read() as reader:
            return int(reader.scalar(select(func.count()).select_from(zones)))


def nothing(_work: Work) -> None:
    return None


def on(host: str, **more: Any) -> Callable[[View], HostCall]:
    return lambda view: HostCall(host, "make", {"key": view.key}, **more)


def add_zone(work: Work) -> None:
    work.tx.run(insert(zones).values(name=f"zone-{work.key}", available=True))
