"""Every step of every operation: failed, repeated, crashed before and after its commit; every undo
failed once and for good; a delete at every step. The harness proves that it reached each step.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hanok.model.errors import HostError
from hanok.model.server import VmState
from tests.operations.case import Case, assert_makers_are_named
from tests.operations.cases import CASES
from tests.operations.world import World

REPOSITORY = Path(__file__).parents[2]


def _each(*, undone: bool = False, quick: bool = False) -> pytest.MarkDecorator:
    """Every case (or those that are unwound); `quick` leaves variants to `make test-all`."""
    chosen = [
        pytest.param(case, marks=[pytest.mark.slow] if case.variant and quick else [])
        for case in CASES
        if case.undo or not undone
    ]
    names = [case.name.replace(" ", "-") for case in CASES if case.undo or not undone]
    return pytest.mark.parametrize("case", chosen, ids=names)


MOVERS = (
    "create_server",
    "rescue_server",
    "unrescue_server",
    "rebuild_server",
    "shelve_server",
    "unshelve_server",
)
DELETABLE = pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[pytest.mark.slow] if case.variant else [])
        for case in CASES
        if case.kind in MOVERS
    ],
    ids=lambda case: case.name.replace(" ", "-"),
)
"""What makes, exchanges or moves disks: a delete in the middle must find every one of them."""
EACH, EACH_QUICK = _each(), _each(quick=True)
EACH_UNDONE, EACH_UNDONE_QUICK = _each(undone=True), _each(undone=True, quick=True)
KILLS = pytest.mark.parametrize(
    "moment", [pytest.param("start", marks=pytest.mark.slow), "effect", "commit"]
)
"""What is on the disk when a step starts is little more than what the step before it committed."""
Reached = Callable[[str], None]


class Workshop:
    """Makes a prepared world for each run by copying one that was made once a case."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._prepared: dict[str, tuple[Path, str]] = {}
        self._points: dict[str, list[str]] = {}

    def prepare(self, case: Case) -> tuple[Path, str]:
        """Return a fresh folder with the case's world, and the server's id that it starts from."""
        if case.name not in self._prepared:
            template = self._folder / f"template-{len(self._prepared)}"
            template.mkdir()
            world = world_in(template).open().start()
            subject = case.before(world)
            world.close()
            self._prepared[case.name] = (template, subject)
        template, subject = self._prepared[case.name]
        self._count += 1
        folder = self._folder / f"run-{self._count}"
        shutil.copytree(template, folder)
        return folder, subject

    def points(self, case: Case) -> list[str]:
        """Return the points that the operation passes when nothing goes wrong, in order."""
        if case.name not in self._points:
            points: list[str] = []
            world, subject = self.run(case, points.append)
            case.done(world, subject)
            self._points[case.name] = [p for p in points if p.startswith(f"{case.kind}/")]
            self.drop(world)
        return self._points[case.name]

    def run(self, case: Case, reached: Reached | None) -> tuple[World, str]:
        """Carry the operation to its end with failpoints heard by `reached`."""
        folder, subject = self.prepare(case)
        world = world_in(folder, reached).open()
        subject = case.submit(world, subject)
        world.start()
        world.settle()
        return world, subject

    def drop(self, world: World) -> None:
        world.close()
        shutil.rmtree(world.folder)


def world_in(folder: Path, reached: Reached | None = None) -> World:
    return World(f"sqlite:///{folder / 'region.db'}", folder, reached)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


class Zygote:
    """The process that forks runs which kill themselves."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.operations.zygote"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, case: Case, folder: Path, subject: str, *, kill: str, fail: str = "") -> Any:
        order = {
            "case": case.name,
            "folder": str(folder),
            "subject": subject,
            "kill": kill,
            "fail": fail,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    one = Zygote()
    yield one
    one.close()


@EACH
def test_every_step_is_reached_in_the_order_of_the_list(workshop: Workshop, case: Case) -> None:
    """fault_08: the list of points is the list of steps, three points each."""
    points = workshop.points(case)
    world, _ = workshop.run(case, None)
    operation = world.last_of(case.kind)
    with world.store.read() as reader:
        from hanok.store import journal

        rows = journal.steps_of(reader, operation.id)
    steps = [step.key for step in rows]
    assert_makers_are_named(rows)
    workshop.drop(world)
    moments = ("start", "effect", "commit")
    assert points == [
        f"{case.kind}/{key}/do/{m}" for key in steps_like(points, steps) for m in moments
    ]


def steps_like(points: list[str], steps: list[str]) -> list[str]:
    """The keys of this run, by position: ids differ from run to run, their order does not."""
    found = list(dict.fromkeys(point.split("/")[1] for point in points))
    assert [key.partition(":")[0] for key in found] == [key.partition(":")[0] for key in steps]
    return found


def by_position(points: list[str]) -> list[tuple[str, str]]:
    """(step name before the id, moment) of each point: what can be compared across runs."""
    return [(p.split("/")[1].partition(":")[0], p.rpartition("/")[2]) for p in points]


class At:
    """A fault at the n-th passing of a (step, moment), whatever the ids of this run are."""

    def __init__(self, case: Case, step: str, direction: str, moment: str, act: Reached) -> None:
        self._match = (case.kind, step, direction, moment)
        self._act = act
        self.hits = 0

    def __call__(self, point: str) -> None:
        kind, key, direction, moment = point.split("/")
        if (kind, key.partition(":")[0], direction, moment) == self._match:
            self.hits += 1
            self._act(point)


def raising(*, times: int, permanent: bool = False) -> Reached:
    left = [times]

    def act(point: str) -> None:
        if left[0] > 0:
            left[0] -= 1
            raise HostError(f"told to fail at {point}", permanent=permanent)

    return act


def names(workshop: Workshop, case: Case) -> list[str]:
    return list(dict.fromkeys(name for name, _ in by_position(workshop.points(case))))


@EACH_UNDONE
@pytest.mark.parametrize("moment", [pytest.param("start", marks=pytest.mark.slow), "effect"])
def test_fault_01_each_step_fails(workshop: Workshop, case: Case, moment: str) -> None:
    for name in names(workshop, case):
        at = At(case, name, "do", moment, raising(times=1, permanent=True))
        world, subject = workshop.run(case, at)
        assert at.hits >= 1, name
        operation = world.last_of(case.kind)
        assert operation.state == "undone", name
        assert operation.error is not None
        assert "told to fail" in operation.error["message"]
        case.undone(world, subject)
        workshop.drop(world)


@EACH
def test_fault_02_each_step_done_twice(workshop: Workshop, case: Case) -> None:
    for name in names(workshop, case):
        at = At(case, name, "do", "effect", raising(times=1))
        world, subject = workshop.run(case, at)
        assert at.hits >= 2, name
        case.done(world, subject)
        workshop.drop(world)


def undo_names(workshop: Workshop, case: Case) -> list[str]:
    """The steps that have an undo, in the order of unwinding."""
    passed: list[str] = []
    last = names(workshop, case)[-1]
    fail = At(case, last, "do", "effect", raising(times=1, permanent=True))

    def reached(point: str) -> None:
        if "/undo/" in point:
            passed.append(point)
        fail(point)

    world, _ = workshop.run(case, reached)
    workshop.drop(world)
    return list(dict.fromkeys(name for name, _ in by_position(passed)))


def unwinding(case: Case, last: str, undo: At) -> Reached:
    """Fail the last step, so that everything is undone, with a fault in one undo."""
    fail = At(case, last, "do", "effect", raising(times=1, permanent=True))

    def reached(point: str) -> None:
        fail(point)
        undo(point)

    return reached


@EACH_UNDONE_QUICK
@pytest.mark.parametrize("moment", ["start", "effect"])
def test_fault_03_and_04_each_undo_fails_then_works(
    workshop: Workshop, case: Case, moment: str
) -> None:
    undos = undo_names(workshop, case)
    assert undos
    for name in undos:
        undo = At(case, name, "undo", moment, raising(times=3))
        world, subject = workshop.run(case, unwinding(case, names(workshop, case)[-1], undo))
        assert undo.hits >= 4, name
        assert world.last_of(case.kind).state == "undone"
        case.undone(world, subject)
        workshop.drop(world)


@EACH_UNDONE_QUICK
def test_fault_05_each_undo_fails_for_good_and_is_resumed(workshop: Workshop, case: Case) -> None:
    for name in undo_names(workshop, case):
        faulty = [True]

        def act(point: str, faulty: list[bool] = faulty) -> None:
            if faulty[0]:
                raise HostError(f"told to fail at {point}")

        undo = At(case, name, "undo", "start", act)
        world, subject = workshop.run(case, unwinding(case, names(workshop, case)[-1], undo))
        operation = world.last_of(case.kind)
        assert operation.state == "stuck", name
        assert world.rows()["operation_subjects"] == 0, "its subjects are free"
        faulty[0] = False
        world.engine.resume(operation.id)
        world.settle()
        assert world.last_of(case.kind).state == "undone"
        case.undone(world, subject)
        workshop.drop(world)


@EACH_QUICK
@KILLS
def test_fault_06_and_07_kill_at_each_step(
    workshop: Workshop, zygote: Zygote, case: Case, moment: str
) -> None:
    for position, name in enumerate(names(workshop, case)):
        folder, subject = workshop.prepare(case)
        kill = Kill(case, name, "do", moment)
        died = kill.run(zygote, folder, subject)
        world = world_in(folder).open().start()
        world.settle()
        case.done(world, died["server"])
        workshop.drop(world)
        assert len(died["reached"]) >= position, name


@EACH_UNDONE_QUICK
@KILLS
def test_fault_06_kill_at_each_undo(
    workshop: Workshop, zygote: Zygote, case: Case, moment: str
) -> None:
    last = names(workshop, case)[-1]
    for name in undo_names(workshop, case):
        folder, subject = workshop.prepare(case)
        died = Kill(case, name, "undo", moment, fail=last).run(zygote, folder, subject)
        world = world_in(folder).open().start()
        world.settle()
        case.undone(world, died["server"])
        workshop.drop(world)


class Kill:
    """A run that kills itself at a (step, direction, moment)."""

    def __init__(self, case: Case, step: str, direction: str, moment: str, fail: str = "") -> None:
        self._case = case
        self._kill = f"{case.kind}/{step}*/{direction}/{moment}"
        self._fail = f"{case.kind}/{fail}*/do/effect" if fail else ""

    def run(self, zygote: Zygote, folder: Path, subject: str) -> Any:
        died = zygote.run(self._case, folder, subject, kill=self._kill, fail=self._fail)
        assert died["signal"] == signal.SIGKILL, f"{self._kill} was never reached: {died}"
        return died


@DELETABLE
@pytest.mark.parametrize("moment", ["start", "commit"])
def test_fault_13_a_delete_at_every_step(workshop: Workshop, case: Case, moment: str) -> None:
    for name in names(workshop, case):
        folder, subject = workshop.prepare(case)
        world = world_in(folder).open()
        server = case.submit(world, subject)
        states = delete_at(world, server, At(case, name, "do", moment, lambda _: None))
        assert states[-1] == VmState.DELETED
        assert VmState.ERROR not in states
        world.assert_nothing_is_left()
        assert world.own_images() == []
        workshop.drop(world)


def delete_at(world: World, server: str, at: At) -> list[str]:
    """Delete the server when the engine gets to a point; return the states that were seen."""
    states: list[str] = []

    def reached(point: str) -> None:
        hits = at.hits
        at(point)
        if at.hits > hits == 0:
            world.delete(server)
        if point.endswith(("/start", "/commit")):
            states.append(world.server(server).vm_state)

    world.failpoints.listen(reached)
    world.start()
    world.settle()
    assert at.hits >= 1
    return [*states, world.server(server).vm_state]
