"""The measuring client, against the empty handler that benches use."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from bench import load
from bench.child import Child, empty_server

BODY = b"x" * 300_000
GET = load.request("GET", "/a/b")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with empty_server(tmp_path_factory.mktemp("empty"), "empty", "/a/{name}", BODY) as child:
        yield child


def test_an_exchange_reads_the_whole_answer(server: Child) -> None:
    with load.Connection(server.address) as connection:
        for message in (GET, load.request("POST", "/a/b", token="t", body={"k": "v"})):
            assert connection.exchange(message) == load.Answer(200, BODY)


def test_every_request_is_answered_and_timed(server: Child) -> None:
    for done in (
        load.one_client(server.address, [GET] * 20),
        load.many_clients(server.address, [GET] * 21, 4),
        load.many_clients(server.address, [GET], 4),
    ):
        assert 0 < max(done.latencies) <= done.seconds
        assert done.rate == len(done.latencies) / done.seconds
    assert len(load.many_clients(server.address, [GET] * 21, 4).latencies) == 21


def test_an_answer_of_another_status_ends_the_run(server: Child) -> None:
    other = load.request("GET", "/elsewhere")
    with pytest.raises(load.UnexpectedAnswerError, match="404, not 200"):
        load.many_clients(server.address, [GET, other], 2)


def answers(*parts: bytes) -> load.Address:
    """Serve one connection: the parts, each in a packet of its own, then the end."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.recv(1000)
            for part in parts:
                connection.sendall(part)

    threading.Thread(target=serve, daemon=True).start()
    address: load.Address = listener.getsockname()
    return address


def test_an_answer_may_come_in_pieces() -> None:
    address = answers(b"HTTP/1.1 200 OK\r\ncontent-", b"LENGTH: 4\r\nx: y\r\n\r\nab", b"cd")
    with load.Connection(address) as connection:
        assert connection.exchange(GET).body == b"abcd"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", "closed the connection"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "no Content-Length"),
    ],
)
def test_half_an_answer_is_none(answer: bytes, said: str) -> None:
    with (
        load.Connection(answers(answer)) as connection,
        pytest.raises(load.UnexpectedAnswerError, match=said),
    ):
        connection.exchange(GET)
