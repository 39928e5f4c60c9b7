from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from hanok.drivers.lanes import Lane
from hanok.model.errors import HostUnreachable
from tests.drivers.scene import wait_for


class Gate:
    """Work that hangs until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def pass_through(self) -> str:
        self.entered.release()
        assert self.opened.wait(30)
        return "passed"


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.opened.set()


def hang(lane: Lane, gate: Gate, times: int = 1) -> None:
    """Leave so many threads of the lane behind."""
    for _ in range(times):
        with pytest.raises(HostUnreachable):
            lane.run("hang", gate.pass_through, 0.02)


def in_threads(count: int, lane: Lane, gate: Gate) -> list[threading.Thread]:
    """Call from so many threads, each of which waits for the gate."""
    threads = [
        threading.Thread(target=lane.run, args=("wait", gate.pass_through, 30), daemon=True)
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads


def test_results_and_errors_are_the_callers() -> None:
    lane = Lane("a", 2, 2)
    assert lane.run("add", lambda: 1 + 1, 5) == 2
    with pytest.raises(ZeroDivisionError):
        lane.run("divide", lambda: 1 // 0, 5)
    assert lane.run("still there", lambda: "yes", 5) == "yes"


def test_threads_are_daemons_and_no_more_than_allowed(gate: Gate) -> None:
    lane = Lane("bounded-lane", 2, 4)
    callers = in_threads(5, lane, gate)
    assert gate.entered.acquire(timeout=5)
    assert gate.entered.acquire(timeout=5)
    assert not gate.entered.acquire(timeout=0.05)
    workers = [one for one in threading.enumerate() if one.name == "bounded-lane"]
    assert len(workers) == 2
    assert all(one.daemon for one in workers)
    gate.opened.set()
    for caller in callers:
        caller.join(5)
        assert not caller.is_alive()
    assert lane.lost == 0


def test_a_thread_is_reused() -> None:
    lane = Lane("reused", 4, 4)
    names = {lane.run("who", threading.get_ident, 5) for _ in range(10)}
    assert len(names) == 1


def test_a_hung_call_is_left_at_its_deadline_and_its_thread_replaced(gate: Gate) -> None:
    lane = Lane("a", 1, 2)
    started = time.monotonic()
    with pytest.raises(HostUnreachable) as caught:
        lane.run("start", gate.pass_through, 0.05)
    assert 0.05 <= time.monotonic() - started < 1
    assert "what it did is not known" in caught.value.detail
    assert not caught.value.permanent
    assert lane.lost == 1
    assert lane.run("next", lambda: "done", 5) == "done"


def test_a_call_that_was_not_begun_is_never_made(gate: Gate) -> None:
    lane = Lane("a", 1, 2)
    in_threads(1, lane, gate)
    assert gate.entered.acquire(timeout=5)
    made: list[int] = []
    with pytest.raises(HostUnreachable) as caught:
        lane.run("late", lambda: made.append(1), 0.02)
    assert "not begun" in caught.value.detail
    gate.opened.set()
    assert lane.run("next", lambda: "done", 5) == "done"
    assert made == []
    assert lane.lost == 0


def test_with_too_many_lost_threads_calls_fail_at_once_until_one_is_back(gate: Gate) -> None:
    lane = Lane("a", 1, 2)
    hang(lane, gate, 2)
    assert lane.exhausted
    started = time.monotonic()
    with pytest.raises(HostUnreachable, match="2 calls hang"):
        lane.run("next", lambda: "done", 30)
    assert time.monotonic() - started < 1
    gate.opened.set()
    assert wait_for(lambda: not lane.exhausted)
    assert lane.run("next", lambda: "done", 5) == "done"
    assert wait_for(lambda: lane.lost == 0)


def test_who_waits_behind_the_last_lost_thread_fails_at_once(gate: Gate) -> None:
    lane = Lane("a", 1, 1)
    errors: list[str] = []

    def wait() -> None:
        try:
            lane.run("behind", lambda: "done", 30)
        except HostUnreachable as error:
            errors.append(error.detail)

    loser = threading.Thread(target=hang, args=(lane, gate))
    loser.start()
    assert gate.entered.acquire(timeout=5)
    follower = threading.Thread(target=wait)
    follower.start()
    loser.join(5)
    follower.join(5)
    assert not follower.is_alive()
    assert "1 calls hang" in errors[0]


def test_threads_stay_bounded_however_much_hangs(gate: Gate) -> None:
    lane = Lane("hanging-lane", 2, 3)
    for _ in range(20):
        with pytest.raises(HostUnreachable):
            lane.run("hang", gate.pass_through, 0.005)
    assert sum(one.name == "hanging-lane" for one in threading.enumerate()) <= 2 + 3


def test_closing_fails_who_waits_and_waits_for_nobody(gate: Gate) -> None:
    lane = Lane("a", 1, 2)
    errors: list[str] = []

    def wait() -> None:
        try:
            lane.run("wait", gate.pass_through, 30)
        except HostUnreachable as error:
            errors.append(error.detail)

    callers = [threading.Thread(target=wait) for _ in range(2)]
    for caller in callers:
        caller.start()
    assert gate.entered.acquire(timeout=5)
    started = time.monotonic()
    lane.close()
    assert time.monotonic() - started < 1
    for caller in callers:
        caller.join(5)
    assert len(errors) == 2
    with pytest.raises(HostUnreachable, match="let go"):
        lane.run("next", lambda: "done", 5)


def test_idle_threads_end_when_the_lane_closes() -> None:
    lane = Lane("closing-lane", 2, 2)
    lane.run("begin", lambda: None, 5)
    lane.close()
    assert wait_for(lambda: all(one.name != "closing-lane" for one in threading.enumerate()))
