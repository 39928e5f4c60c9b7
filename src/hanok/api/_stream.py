"""Bodies too large to hold: taken from the client block by block, or read from a file for it.

A worker asks for the next block while it works on the last one, so at most two blocks of a body
are in memory, and a client is never read faster than its bytes are stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from typing import Any, BinaryIO

import falcon.asgi

from hanok.model.errors import Invalid

BLOCK = 262_144
"""The bytes that one hop between the event loop and a worker carries, at most."""
IDLE_SECONDS = 60.0
"""How long a client may take for one block; a slower one would hold a worker for ever."""


class ClientGone(Invalid):
    """The client went away, or fell silent, before its body was complete."""


class Request(falcon.asgi.Request):
    """A request that knows whether its client has gone; the framework's stream only ends then."""

    __slots__ = ("_next_event", "gone")

    def __init__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        first_event: dict[str, Any] | None = None,
        options: Any = None,
    ) -> None:
        self.gone = False

        async def next_event() -> dict[str, Any]:
            event = await receive()
            if event["type"] == "http.disconnect":
                self.gone = True
            return event

        self._next_event = next_event
        super().__init__(scope, next_event, first_event, options)

    async def until_gone(self) -> None:
        """Wait for the client's end, once all of its body has been read."""
        while not self.gone:
            await self._next_event()


def blocks(request: Request, loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """Yield the body in a worker thread, while `loop` reads it. Raises ClientGone."""
    source = aiter(request.stream)

    def ask() -> Future[bytes]:
        return asyncio.run_coroutine_threadsafe(_block(request, source), loop)

    coming = ask()
    try:
        while block := coming.result(IDLE_SECONDS):
            coming = ask()
            yield block
    except (TimeoutError, CancelledError) as error:
        raise ClientGone("The request's body stopped before its end.") from error
    finally:
        coming.cancel()


async def _block(request: Request, source: AsyncIterator[bytes]) -> bytes:
    """Read the next block; empty at the end."""
    block = bytearray()
    while len(block) < BLOCK:
        chunk = await anext(source, b"")
        if not chunk:
            break
        block += chunk
    if request.gone:
        raise ClientGone("The client went away before the end of its request.")
    return bytes(block)


class FileBody:
    """A file as a response's body; reading ends when the client has gone."""

    def __init__(self, file: BinaryIO, request: Request, workers: Executor) -> None:
        self._file = file
        self._request = request
        self._workers = workers
        self._watch: asyncio.Task[None] | None = None

    def __aiter__(self) -> FileBody:
        """Return itself: it can be read once."""
        return self

    async def __anext__(self) -> bytes:
        """Read a block in a worker."""
        if self._watch is None:
            self._watch = asyncio.create_task(self._request.until_gone())
        if not self._request.gone:
            loop = asyncio.get_running_loop()
            block = await loop.run_in_executor(self._workers, self._file.read, BLOCK)
            if block:
                return block
        raise StopAsyncIteration

    async def close(self) -> None:
        """Let go of the file."""
        if self._watch is not None:
            self._watch.cancel()
        self._file.close()
