"""Bodies that are taken and sent block by block, with clients that go away in the middle."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from hanok.api import _stream
from hanok.api._stream import BLOCK, ClientGone, FileBody, Request, blocks

T = TypeVar("T")
GONE = {"type": "http.disconnect"}


@pytest.fixture(scope="module")
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def piece(data: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


class Client:
    """Says `events` one after the other, and nothing after them; counts what was heard."""

    def __init__(self, *events: dict[str, Any], length: int | None = None) -> None:
        self._events = iter(events)
        self.heard = 0
        headers = [] if length is None else [(b"content-length", str(length).encode())]
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1"}
        where = {"method": "PUT", "path": "/", "query_string": b"", "headers": headers}
        self.request = Request({**scope, **where}, self._receive)

    async def _receive(self) -> dict[str, Any]:
        event = next(self._events, None)
        if event is None:
            await asyncio.Event().wait()
        assert event is not None
        self.heard += 1
        return event


def in_worker(client: Client, work: Callable[[Iterator[bytes]], T]) -> T:
    """Let a worker thread take the client's body, as a request's handler does."""

    async def run() -> T:
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(work, blocks(client.request, loop))

    return asyncio.run(run())


def test_a_body_comes_in_blocks_of_one_size_whatever_its_pieces() -> None:
    data = bytes(range(256)) * (3 * BLOCK // 256) + b"end"
    pieces = [data[at : at + 65_000] for at in range(0, len(data), 65_000)]
    events = [piece(part) for part in pieces[:-1]]
    client = Client(*events, piece(pieces[-1], more=False), length=len(data))
    taken: list[bytes] = in_worker(client, list)
    assert b"".join(taken) == data
    assert len(taken) <= 4
    assert all(len(block) >= BLOCK for block in taken[:-1])


def test_an_empty_body_has_no_blocks() -> None:
    assert in_worker(Client(piece(b"", more=False), length=0), list) == []


def test_a_client_is_never_read_faster_than_its_bytes_are_used() -> None:
    client = Client(*[piece(bytes(BLOCK))] * 50)

    def take_two(source: Iterator[bytes]) -> int:
        next(source)
        next(source)
        return client.heard

    assert 2 <= in_worker(client, take_two) <= 4


@pytest.mark.parametrize("length", [None, 5 * BLOCK])
def test_a_client_that_goes_away_is_not_the_end_of_its_body(length: int | None) -> None:
    client = Client(piece(bytes(BLOCK)), piece(b"some"), GONE, length=length)
    taken: list[bytes] = []
    with pytest.raises(ClientGone, match="went away"):
        in_worker(client, taken.extend)
    assert taken == [bytes(BLOCK)]


def test_a_client_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stream, "IDLE_SECONDS", 0.05)
    with pytest.raises(ClientGone, match="stopped"):
        in_worker(Client(piece(b"some")), list)


# -- files -----------------------------------------------------------------------------------------


class Counted(io.BytesIO):
    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read(size)


async def all_of(body: FileBody) -> list[bytes]:
    try:
        return [block async for block in body]
    finally:
        await body.close()


def run(work: Callable[[], Awaitable[T]]) -> T:
    async def once() -> T:
        return await work()

    return asyncio.run(once())


def test_a_file_is_sent_in_blocks_and_closed(workers: ThreadPoolExecutor) -> None:
    data = bytes(range(256)) * (2 * BLOCK // 256) + b"end"
    file = Counted(data)
    client = Client(piece(b"", more=False))
    sent = run(lambda: all_of(FileBody(file, client.request, workers)))
    assert [len(block) for block in sent] == [BLOCK, BLOCK, 3]
    assert b"".join(sent) == data
    assert file.closed


def test_a_file_is_not_read_for_a_client_that_has_gone(workers: ThreadPoolExecutor) -> None:
    file = Counted(bytes(100 * BLOCK))
    client = Client(piece(b"", more=False), GONE)

    async def send() -> int:
        body = FileBody(file, client.request, workers)
        sent = 0
        async for _ in body:
            sent += 1
            for _ in range(10):  # the loop's other tasks have their turn
                await asyncio.sleep(0)
            assert client.request.gone
        await body.close()
        return sent

    assert run(send) == 1
    assert file.reads == 1
    assert file.closed


def test_a_body_that_nobody_asked_for_is_closed_all_the_same(workers: ThreadPoolExecutor) -> None:
    file = Counted(b"x")
    run(FileBody(file, Client().request, workers).close)
    assert file.closed
    assert file.reads == 0
