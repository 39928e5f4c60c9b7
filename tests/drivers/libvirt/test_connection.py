"""A connection through what happens to daemons, on a libvirtd of the tests' own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import libvirt
import pytest

from hanok.drivers.libvirt.connection import Connection, is_alive
from hanok.model.errors import HostError, HostUnreachable
from tests.drivers.libvirt.private_libvirtd import PrivateLibvirtd

pytestmark = pytest.mark.guest


@pytest.fixture
def connection(private: PrivateLibvirtd) -> Iterator[Connection]:
    made = Connection(private.uri, deadline=20)
    yield made
    made.close()


def version(conn: Any) -> int:
    return int(conn.getLibVersion())


def test_it_is_opened_when_it_is_needed(connection: Connection) -> None:
    opened: list[Any] = []
    connection.when_opened(opened.append)
    assert opened == []
    assert connection.call("It failed.", version) == connection.call("It failed.", version) > 0
    assert len(opened) == 1


def test_a_restart_is_survived(connection: Connection, private: PrivateLibvirtd) -> None:
    opened: list[Any] = []
    connection.when_opened(opened.append)
    connection.call("It failed.", version)
    private.kill()
    with pytest.raises(HostUnreachable) as caught:
        connection.call("The server could not be started.", version)
    assert not caught.value.permanent
    private.start()
    assert connection.call("It failed.", version) > 0
    private.kill()
    private.start()
    assert connection.call("It failed.", version) > 0
    assert len(opened) == 3


def test_a_call_that_loses_its_connection_is_made_again(
    connection: Connection, private: PrivateLibvirtd
) -> None:
    calls = 0

    def restart_once(conn: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            private.kill()
            private.start()
        return version(conn)

    assert connection.call("It failed.", restart_once) > 0
    assert calls == 2


def test_fault_24_a_daemon_that_hangs_costs_a_deadline(
    connection: Connection, private: PrivateLibvirtd
) -> None:
    connection.call("It failed.", version)
    private.pause()
    try:
        before = time.monotonic()
        with pytest.raises(HostUnreachable, match=r"no answer in 0\.5 s"):
            connection.call("It failed.", version, deadline=0.5)
        other = Connection(private.uri)
        with pytest.raises(HostUnreachable):
            other.call("It failed.", version, deadline=0.5)
        other.close()
        assert time.monotonic() - before < 5
    finally:
        private.go_on()
    assert connection.call("It failed.", version) > 0


def test_fault_24_calls_without_an_answer_do_not_pile_up(
    connection: Connection, private: PrivateLibvirtd
) -> None:
    connection.call("It failed.", version)
    threads = threading.active_count()
    private.pause()
    try:
        for _ in range(20):
            with pytest.raises(HostUnreachable):
                connection.call("It failed.", version, deadline=0.05)
        assert threading.active_count() - threads <= 16
        with pytest.raises(HostUnreachable, match="16 calls to libvirt have no answer yet"):
            connection.call("It failed.", version, deadline=0.05)
    finally:
        private.go_on()
    assert connection.call("It failed.", version) > 0


def test_an_error_of_libvirt_has_two_messages(connection: Connection) -> None:
    with pytest.raises(HostError) as caught:
        connection.call("The server could not be set up.", lambda conn: conn.defineXML("<x"))
    assert caught.value.message == "The server could not be set up."
    assert "libvirt: " in caught.value.detail
    assert caught.value.permanent
    with pytest.raises(HostError) as caught:
        connection.call("It failed.", lambda conn: conn.lookupByName("x").create())
    assert isinstance(caught.value.__cause__, libvirt.libvirtError)


def test_an_error_of_ours_passes(connection: Connection) -> None:
    def fail(_: Any) -> None:
        raise HostError("Ours.", permanent=True)

    with pytest.raises(HostError) as caught:
        connection.call("It failed.", fail)
    assert caught.value.message == "Ours."


def test_after_closing_nothing_is_asked(private: PrivateLibvirtd) -> None:
    connection = Connection(private.uri)
    connection.call("It failed.", version)
    connection.close()
    connection.close()
    with pytest.raises(HostUnreachable, match="closed"):
        connection.call("It failed.", version)


def test_nothing_is_not_alive() -> None:
    assert not is_alive(None)


def test_nobody_at_the_address_is_unreachable() -> None:
    connection = Connection("qemu+unix:///system?socket=/nonexistent/sock")
    with pytest.raises(HostUnreachable):
        connection.call("It failed.", version)
