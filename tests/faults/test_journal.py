"""Journals that cannot be carried on, and what the journal keeps secret."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hanok.engine.steps import ControlStep, HostCall, HostStep, View, Wait, Work
from hanok.model.errors import HostError
from tests.engine.world import Tape, ToyWorld, kind


@pytest.fixture
def world(each_database_url: str, tmp_path: Path) -> Iterator[ToyWorld]:
    one = ToyWorld(each_database_url, tmp_path)
    yield one
    one.close()


def test_fault_15_an_unknown_version_is_parked_loudly_and_the_engine_lives(
    world: ToyWorld,
) -> None:
    tape = Tape()
    old = kind(world, tape.control("a"), version=1)
    new = kind(world, tape.control("a"), version=2)
    before = world.engine(old)
    lost = world.submit(before, old, "a", server_id="s", subjects=("server:s",))
    engine = world.engine(new)
    engine.start()
    row = world.wait(lost)
    assert row.state == "stuck"
    assert world.parked
    assert "toy@1" in world.parked[0]
    assert world.wait(world.submit(engine, new, "a", subjects=("server:s",))).state == "done"
    engine.stop()


def test_fault_16_a_damaged_journal_row_is_parked_and_the_engine_lives(world: ToyWorld) -> None:
    tape = Tape()
    toy = kind(world, tape.control("a"))
    engine = world.engine(toy)
    broken = world.submit(engine, toy, "a", server_id="s", intent={"n": 1})
    world.execute("UPDATE operations SET args = '{\"n\": '")
    engine.start()
    assert world.wait(world.submit(engine, toy, "a")).state == "done"
    engine.stop()
    world.execute("UPDATE operations SET args = '{}'")
    assert world.wait(broken).state == "stuck"
    assert world.parked


def test_fault_16_secrets_that_cannot_be_opened_park_their_operation(world: ToyWorld) -> None:
    tape = Tape()
    toy = kind(world, tape.control("a"))
    engine = world.engine(toy)
    lost = world.submit(engine, toy, "a", secrets={"word": "xyzzy"})
    world.execute("UPDATE operations SET secrets = substr(secrets, 1, 20)")
    short = world.submit(engine, toy, "a", secrets={"word": "xyzzy"})
    world.execute(
        "UPDATE operations SET secrets = substr(secrets, 1, 3) WHERE length(secrets) > 20"
    )
    engine.start()
    assert world.wait(world.submit(engine, toy, "a")).state == "done"
    assert [world.wait(one).state for one in (lost, short)] == ["stuck", "stuck"]
    engine.stop()
    assert engine.in_flight == 0
    assert tape.did == ["do a"]
    assert len(world.parked) == 2


def test_secrets_are_sealed_in_the_journal_and_wiped_at_the_end(world: ToyWorld) -> None:
    seen: list[Mapping[str, Any]] = []
    gate = threading.Event()

    def call(view: View) -> HostCall:
        return HostCall("host-1", "tell", {"word": view.secrets["word"]}, secret=True)

    def pause(_work: Work) -> None:
        if not gate.is_set():
            raise Wait(0.05)

    world.perform = lambda _h, _v, args, _t: seen.append(args)
    toy = kind(world, HostStep("tell", call), ControlStep("pause", pause))
    engine = world.engine(toy)
    engine.start()
    engine.serve("host-1")
    operation = world.submit(engine, toy, "pause", "tell", "pause:2", secrets={"word": "xyzzy"})
    time.sleep(0.1)
    assert b"xyzzy" not in dump(world)
    gate.set()
    row = world.wait(operation)
    engine.stop()
    assert seen == [{"word": "xyzzy"}]
    assert row.secrets is None
    assert all(step.sealed_call is None for step in world.steps(operation))
    assert b"xyzzy" not in dump(world)


def test_a_stuck_operation_keeps_its_secrets_until_it_is_resumed(world: ToyWorld) -> None:
    tape = Tape()
    tape.fail = {"do c": 99}
    undone: list[str] = []

    def unmake(view: View) -> HostCall:
        return HostCall("host-1", "unmake", {"word": view.secrets["word"]}, secret=True)

    def perform(_host: str, _verb: str, args: Mapping[str, Any], _timeout: float) -> None:
        if not undone:
            raise HostError("No.", permanent=True)
        undone.append(args["word"])

    world.perform = perform
    toy = kind(world, HostStep("make", lambda _view: None, unmake), tape.control("c"))
    engine = world.engine(toy)
    engine.start()
    engine.serve("host-1")
    stuck = world.wait(world.submit(engine, toy, "make", "c", secrets={"word": "xyzzy"}))
    assert stuck.state == "stuck"
    undone.append("repaired")
    engine.resume(stuck.id)
    row = world.wait(stuck.id)
    engine.stop()
    assert (row.state, row.secrets) == ("undone", None)
    assert undone == ["repaired", "xyzzy"]


def dump(world: ToyWorld) -> bytes:
    """Everything that the journal holds."""
    with world.store.read() as reader:
        rows = [
            *reader.rows(text("SELECT * FROM operations")),
            *reader.rows(text("SELECT * FROM operation_steps")),
        ]
    return repr([tuple(row) for row in rows]).encode()
