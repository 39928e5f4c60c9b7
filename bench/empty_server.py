"""A program: the same server software as `hanok up`, with one handler that only answers.

python -m bench.empty_server TEMPLATE BODY-FILE STATUS
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import falcon.asgi
import uvicorn
import uvloop


class EmptyHandler:
    """Answers GET and POST with the same bytes."""

    def __init__(self, body: bytes, status: int) -> None:
        self._body = body
        self._status = status

    async def on_get(
        self, _request: falcon.asgi.Request, response: falcon.asgi.Response, **_params: str
    ) -> None:
        response.status = self._status
        response.content_type = "application/json"
        response.data = self._body

    async def on_post(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, **params: str
    ) -> None:
        await request.stream.read()
        await self.on_get(request, response, **params)


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        assert sockets is not None
        print(f"ready http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)


def main(template: str, body: Path, status: int) -> None:
    application: falcon.asgi.App[Any, Any] = falcon.asgi.App()
    application.add_route(template, EmptyHandler(body.read_bytes(), status))
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
