"""A client that costs little: prepared requests over keep-alive connections, one thread.

It knows just what the servers measured here send: a status, a Content-Length, a body.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Address = tuple[str, int]
_CHUNK = 1 << 20
_TIMEOUT = 30.0


class UnexpectedAnswerError(Exception):
    """An answer with another status than a bench can use, or one that was cut short."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response's status and body."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a run: seconds of each request, of all, and of this process's CPU."""

    latencies: list[float]
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return len(self.latencies) / self.seconds


def request(method: str, path: str, *, token: str = "", body: Any = None) -> bytes:
    """Return a whole HTTP/1.1 request; `body` is sent as JSON."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if token:
        lines.append(f"X-Auth-Token: {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection:
    """One keep-alive connection; closes itself at the end of a `with` block."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, _TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = b""
        self._parts: list[bytes] = []
        self._missing = 0
        self._status = 0

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def exchange(self, message: bytes) -> Answer:
        """Send a request and return the answer, whatever its status."""
        self.socket.sendall(message)
        while (answer := self.receive()) is None:
            pass
        return answer

    def receive(self) -> Answer | None:
        """Read once what is there; return the answer when it is complete."""
        data = self.socket.recv(_CHUNK)
        if not data:
            raise UnexpectedAnswerError("the server closed the connection")
        if not self._parts:
            head, end, data = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return None
            self._head = b""
            self._status, self._missing = _read_head(head)
        self._parts.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            return None
        answer = Answer(self._status, b"".join(self._parts))
        self._parts = []
        return answer


def _read_head(head: bytes) -> tuple[int, int]:
    """Return an answer's status and the length of its body."""
    status = int(head[9:12])
    start = head.lower().find(b"\r\ncontent-length:")
    if start < 0:
        if status == 204:
            return status, 0
        raise UnexpectedAnswerError(f"no Content-Length: {head!r}")
    end = head.find(b"\r\n", start + 2)
    return status, int(head[start + 17 : end if end >= 0 else None])


def _expect(answer: Answer, status: int) -> None:
    if answer.status != status:
        raise UnexpectedAnswerError(f"{answer.status}, not {status}: {answer.body[:300]!r}")


def one_client(address: Address, messages: Sequence[bytes], *, status: int = 200) -> Load:
    """Send the requests one after the other over one connection."""
    latencies = []
    with Connection(address) as connection:
        began, cpu = time.perf_counter(), time.process_time()
        for message in messages:
            sent = time.perf_counter()
            answer = connection.exchange(message)
            latencies.append(time.perf_counter() - sent)
            _expect(answer, status)
        return Load(latencies, time.perf_counter() - began, time.process_time() - cpu)


def many_clients(
    address: Address, messages: Sequence[bytes], clients: int, *, status: int = 200
) -> Load:
    """Send the requests over `clients` connections; each sends its next when it has its answer."""
    connections = [Connection(address) for _ in range(min(clients, len(messages)))]
    by_number = {one.socket.fileno(): one for one in connections}
    poll = select.epoll()
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    try:
        return _run(poll, by_number, messages, status)
    finally:
        poll.close()
        for one in connections:
            one.socket.close()


def _run(
    poll: select.epoll, connections: dict[int, Connection], messages: Sequence[bytes], status: int
) -> Load:
    latencies: list[float] = []
    waiting = iter(messages)
    sent: dict[int, float] = {}
    began, cpu = time.perf_counter(), time.process_time()
    for number, connection in connections.items():
        sent[number] = time.perf_counter()
        connection.socket.sendall(next(waiting))
    while len(latencies) < len(messages):
        ready = poll.poll(_TIMEOUT)
        if not ready:
            raise UnexpectedAnswerError(f"no answer within {_TIMEOUT} s")
        for number, _ in ready:
            answer = connections[number].receive()
            if answer is None:
                continue
            now = time.perf_counter()
            latencies.append(now - sent[number])
            _expect(answer, status)
            message = next(waiting, None)
            if message is not None:
                sent[number] = now
                connections[number].socket.sendall(message)
    return Load(latencies, time.perf_counter() - began, time.process_time() - cpu)
