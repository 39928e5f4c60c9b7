from __future__ import annotations

import logging

import pytest

from hanok.drivers.listeners import Listeners


def test_one_that_fails_silences_nobody(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []
    listeners = Listeners()

    def fail(server_id: str) -> None:
        raise RuntimeError(server_id)

    listeners.add(fail)
    listeners.add(heard.append)
    with caplog.at_level(logging.ERROR):
        listeners.tell("one")
        listeners.tell("two")
    assert heard == ["one", "two"]
    assert caplog.text.count("a listener failed on") == 2


def test_whoever_begins_to_listen_while_it_is_told_hears_of_the_next() -> None:
    heard: list[str] = []
    listeners = Listeners()
    assert not listeners
    listeners.add(lambda _server_id: listeners.add(heard.append))
    assert listeners
    listeners.tell("one")
    listeners.tell("two")
    assert heard == ["two"]
