"""An operation of five steps that do nothing, beside the bare commits that it cannot do without.

The bare side writes an operation and its five steps, takes it, and commits each step: seven
transactions, through the database's own driver.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import psycopg

from bench.figures import MS, Findings, at_most, interleave, quantile
from bench.scene import Scene
from hanok.engine.clock import SystemClock
from hanok.engine.dispatch import Engine
from hanok.engine.job import Context
from hanok.engine.sealing import Sealer
from hanok.engine.steps import ControlStep, Operation, Outcome, Planned, Submission, Work
from hanok.model.errors import HostError
from hanok.store import migrate
from hanok.store.database import Database, Transaction
from hanok.telemetry import logs
from tests.postgres import PostgresMissingError, postgres_server

STEPS = 5
_SECONDS = 10.0
_TABLES = (
    "CREATE TABLE operation (id INTEGER PRIMARY KEY, position INTEGER, owner TEXT, state TEXT)",
    """CREATE TABLE step (operation INTEGER, position INTEGER, state TEXT, result TEXT,
    PRIMARY KEY (operation, position))""",
)
Measure = Callable[[], list[float]]


class NoOps:
    """An engine of its own on a store, and operations of no-op steps."""

    def __init__(self, url: str, folder: Path) -> None:
        self._store = Database(url, schema="hanok_bench")
        migrate.prepare(self._store, migrate.REGION)
        self._ended = threading.Event()
        steps = tuple(ControlStep(f"step-{n}", lambda _work: None) for n in range(STEPS))
        self._kind = Operation("no_op", 1, steps, self._settle, deadline=60)
        clock = SystemClock()
        sealer = Sealer.from_file(folder / "key", clock.random_bytes)
        context = Context(self._store, clock, sealer, _no_host)
        self._engine = Engine(context, [self._kind], _parked)
        self._engine.start()

    def close(self) -> None:
        """Stop the engine and close the store."""
        self._engine.stop()
        self._store.close()

    def _settle(self, work: Work, outcome: Outcome) -> None:
        assert outcome.state == "done", outcome
        work.tx.after_commit(self._ended.set)

    def run(self, count: int) -> list[float]:
        """Submit one operation after the other; return the seconds from submit to end."""
        plan = tuple(Planned(step.name, step.name) for step in self._kind.steps)
        seconds = []
        for _ in range(count):
            self._ended.clear()
            submission = Submission(self._kind.kind, "p" * 32, None, {}, plan, ("server:bench",))
            began = time.perf_counter()
            with self._store.write() as tx:
                self._engine.submit(tx, submission)
            if not self._ended.wait(_SECONDS):
                raise TimeoutError(f"an operation of {STEPS} no-op steps takes over {_SECONDS} s")
            seconds.append(time.perf_counter() - began)
        return seconds


def _no_host(host: str, verb: str, _args: object, _timeout: float) -> None:
    raise HostError(f"no-op steps call no host, but {verb} was asked of {host}", permanent=True)


def _parked(_tx: Transaction, _subjects: Sequence[str], reason: str, _now: int) -> None:
    raise AssertionError(reason)


def bare_sqlite(connection: sqlite3.Connection, count: int) -> list[float]:
    """Make the commits of `count` operations with sqlite3; return the seconds of each."""

    def commit(statements: list[tuple[str, tuple[object, ...]]]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            connection.execute(sql, values)
        connection.execute("COMMIT")

    return _operations(commit, count, "?")


def bare_postgresql(connection: psycopg.Connection, count: int) -> list[float]:
    """Make the commits of `count` operations with psycopg; return the seconds of each."""

    def commit(statements: list[tuple[str, tuple[object, ...]]]) -> None:
        with connection.transaction():
            for sql, values in statements:
                connection.execute(sql, values)

    return _operations(commit, count, "%s")


def _operations(
    commit: Callable[[list[tuple[str, tuple[object, ...]]]], None], count: int, mark: str
) -> list[float]:
    new, new_step, take, move, done = (
        text.replace("?", mark)
        for text in (
            "INSERT INTO operation VALUES (?, 0, NULL, 'queued')",
            "INSERT INTO step VALUES (?, ?, 'pending', NULL)",
            "UPDATE operation SET owner = 'me', state = 'running' WHERE id = ?",
            "UPDATE operation SET position = ? WHERE id = ? AND owner = 'me'",
            "UPDATE step SET state = 'done', result = 'null' WHERE operation = ? AND position = ?",
        )
    )
    seconds = []
    start = time.time_ns()
    for number in range(start, start + count):
        began = time.perf_counter()
        commit([(new, (number,)), *((new_step, (number, n)) for n in range(STEPS))])
        commit([(take, (number,))])
        for n in range(STEPS):
            commit([(done, (number, n)), (move, (n + 1, number))])
        seconds.append(time.perf_counter() - began)
    return seconds


@contextmanager
def _sqlite(folder: Path, count: int) -> Iterator[dict[str, Measure]]:
    engine = NoOps(f"sqlite:///{folder / 'steps.db'}", folder)
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    try:
        for sql in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", *_TABLES):
            bare.execute(sql)
        yield {
            "sqlite": partial(engine.run, count),
            "bare sqlite": partial(bare_sqlite, bare, count),
        }
    finally:
        bare.close()
        engine.close()


@contextmanager
def _postgresql(folder: Path, count: int) -> Iterator[dict[str, Measure]]:
    with postgres_server() as server:
        engine = NoOps(server.create_database("engine"), folder)
        try:
            with psycopg.connect(server.create_database("bare"), autocommit=True) as bare:
                for sql in _TABLES:
                    bare.execute(sql.replace("INTEGER", "BIGINT"))
                yield {
                    "postgresql": partial(engine.run, count),
                    "bare postgresql": partial(bare_postgresql, bare, count),
                }
        finally:
            engine.close()


def run(scene: Scene) -> Findings:
    """Run operations one after the other on both databases."""
    sizes, found = scene.sizes, Findings("steps")
    logs.configure(scene.folder / "steps.log")
    with ExitStack() as stack:
        peers = stack.enter_context(_sqlite(scene.folder, sizes.operations))
        databases = ["sqlite"]
        try:
            peers |= stack.enter_context(_postgresql(scene.folder, sizes.operations))
            databases.append("postgresql")
        except PostgresMissingError as missing:
            found.notes.append(f"PostgreSQL left out: {missing}")
        for measure in peers.values():
            measure()
        scene.say(f"{sizes.rounds} rounds of {sizes.operations} operations of {STEPS} steps")
        rounds = interleave(sizes.rounds, peers, lambda measure: measure())
    middle = {n: [quantile(r, 0.5) * MS for r in lists] for n, lists in rounds.items()}
    for name in databases:
        target = at_most(5.0) if name == "sqlite" else None
        found.add(f"{STEPS} no-op steps, {name}, p50", "ms", middle[name], target)
        found.add(f"its bare commits, {name}, p50", "ms", middle[f"bare {name}"])
        found.add_ratio(f"{name} / bare commits", middle[name], middle[f"bare {name}"])
    return found
