from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

import pytest

from hanok.engine.clock import SystemClock, VirtualClock
from hanok.model.moments import SECOND, Clock


@pytest.fixture(params=[SystemClock, VirtualClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_ids_are_random_uuids_and_bytes_are_random(clock: Clock) -> None:
    ids = {clock.new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(str(uuid.UUID(one)) == one and uuid.UUID(one).version == 4 for one in ids)
    assert len(clock.random_bytes(33)) == 33
    assert clock.random_bytes(16) != clock.random_bytes(16)


def test_the_system_s_time_is_told_and_never_goes_back() -> None:
    clock = SystemClock()
    assert abs(clock.now() - time.time_ns() // 1000) < SECOND
    told = [clock.now() for _ in range(1000)]
    assert told == sorted(told)


@pytest.mark.parametrize("hours", [-1, 1])
def test_fault_11_a_wall_clock_that_jumps_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    clock = SystemClock()
    before = clock.now()
    wall = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: wall() + hours * 3600 * 10**9)
    assert 0 <= clock.now() - before < SECOND


def test_a_server_s_time_is_taken_over_less_half_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([10_000_000_000, 10_000_400_000])  # nanoseconds: the way took 400 us
    clock = SystemClock()
    with monkeypatch.context() as patch:
        patch.setattr(time, "monotonic_ns", lambda: next(moments))
        clock.calibrate(lambda: 5_000_000)
    monkeypatch.setattr(time, "monotonic_ns", lambda: 10_000_400_000)
    assert clock.now() == 5_000_200


def waiting(wait: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_the_system_clock_waits_until_the_moment_or_until_it_is_told() -> None:
    clock, condition = SystemClock(), threading.Condition()
    with condition:
        until = clock.now() + SECOND // 20
        clock.wait(condition, until)
        assert clock.now() >= until - 1000
        clock.wait(condition, clock.now() - SECOND)  # the past is over at once

    def wait_for_ever() -> None:
        with condition:
            ready.set()
            clock.wait(condition, None)

    ready = threading.Event()
    thread = waiting(wait_for_ever)
    assert ready.wait(5)
    with condition:
        condition.notify_all()
    thread.join(5)
    assert not thread.is_alive()


def test_virtual_time_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock(start=7)
    time.sleep(0.002)
    assert clock.now() == 7
    clock.advance(3)
    assert clock.now() == 10


def test_whoever_waits_for_a_virtual_moment_wakes_when_it_comes() -> None:
    clock, condition = VirtualClock(start=0), threading.Condition()
    woken: list[int] = []

    def sleep() -> None:
        with condition:
            ready.set()
            while clock.now() < 10:
                clock.wait(condition, 10)
            woken.append(clock.now())

    ready = threading.Event()
    thread = waiting(sleep)
    assert ready.wait(5)
    clock.advance(9)
    thread.join(0.05)
    assert woken == []
    clock.advance(1)
    thread.join(5)
    assert woken == [10]


def test_a_virtual_moment_that_has_come_is_not_waited_for() -> None:
    clock, condition = VirtualClock(start=5), threading.Condition()
    began = time.monotonic()
    with condition:
        clock.wait(condition, 5)
    assert time.monotonic() - began < 5


def test_fault_10_no_wake_up_is_lost_between_looking_and_sleeping() -> None:
    """Time moves while a sleeper goes to sleep, over and over: none oversleeps."""
    clock, condition = VirtualClock(start=0), threading.Condition()
    rounds = 300

    def sleep() -> None:
        for moment in range(1, rounds + 1):
            with condition:
                while clock.now() < moment:
                    clock.wait(condition, moment)

    thread = waiting(sleep)
    for _ in range(rounds):
        clock.advance(1)
    thread.join(20)
    assert not thread.is_alive()
