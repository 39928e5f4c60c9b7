from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from hanok.api.identity.passwords import NOBODY, Passwords
from hanok.model.errors import Unavailable


def test_hashes_are_argon2id_of_the_chosen_cost() -> None:
    for stored in (Passwords().hash("secret"), NOBODY):
        cost = extract_parameters(stored)
        assert (cost.type, cost.memory_cost, cost.time_cost, cost.parallelism) == (
            *(Type.ID, 19 * 1024, 2, 1),
        )
        assert (cost.salt_len, cost.hash_len) == (16, 32)


def test_a_password_matches_its_own_hash_alone() -> None:
    passwords = Passwords()
    stored = passwords.hash("비밀번호")
    assert stored != passwords.hash("비밀번호")
    assert passwords.matches(stored, "비밀번호")
    assert not passwords.matches(stored, "비밀번호 ")
    assert not passwords.matches("no hash at all", "x")


@pytest.mark.parametrize("password", ["", "x", NOBODY])
def test_nobody_has_no_password(password: str) -> None:
    assert not Passwords().matches(None, password)
    assert not Passwords().matches(NOBODY, password)


def test_an_unknown_user_costs_what_a_wrong_password_does() -> None:
    passwords = Passwords()
    stored = passwords.hash("secret")

    def cost(of: str | None) -> float:
        before = time.thread_time()
        passwords.matches(of, "wrong")
        return time.thread_time() - before

    known, unknown = median(cost(stored) for _ in range(5)), median(cost(None) for _ in range(5))
    assert 0.5 < unknown / known < 2


@contextmanager
def held_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let every check hang until the block ends; yields how many hang, after each arrival."""
    gate, guard, inside = threading.Event(), threading.Lock(), [0]

    def verify(*_: object) -> bool:
        with guard:
            inside[0] += 1
        return gate.wait(10)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    try:
        yield inside
    finally:
        gate.set()


def test_two_at_once_some_wait_and_the_rest_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(at_once=2, waiting=3)
    results: list[bool] = []
    with held_up(monkeypatch) as inside:
        callers = [
            threading.Thread(target=lambda: results.append(passwords.matches(None, "x")))
            for _ in range(5)
        ]
        for caller in callers:
            caller.start()
        end = time.monotonic() + 5
        while passwords._places._value and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(0.05)
        assert inside == [2]
        with pytest.raises(Unavailable, match="Too many log-ins"):
            passwords.matches(None, "x")
    for caller in callers:
        caller.join(10)
    assert results == [True] * 5
    assert passwords.matches(None, "x"), "every place is free again"
