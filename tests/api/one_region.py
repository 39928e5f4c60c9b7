"""One region's service behind a real application, called as a client calls it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import falcon
import falcon.asgi
import httpx
from falcon import testing
from prometheus_client import CollectorRegistry

from hanok.api._addresses import Addresses
from hanok.api._call import Service
from hanok.api._region import Region
from hanok.api._serve import Server, application, mount, not_found
from hanok.api.identity.endpoints import service as identity_service
from hanok.engine.clock import VirtualClock
from hanok.media.image_store import ImageStore
from hanok.model.credentials import Credentials
from hanok.model.errors import Unauthorized
from hanok.store.database import Database
from hanok.telemetry.requests import RequestLog
from tests.region_store import MINE, OTHER, region_store

ROOT = "https://cloud.example:9000"


def credentials(user: str, project: str, *roles: str) -> Credentials:
    return Credentials(user, "someone", project, "somewhere", frozenset(roles), 0, 2**62)


LARGEST_IMAGE = 4 << 20

CALLERS: Mapping[str, Credentials] = {
    "member": credentials("1" * 32, MINE, "member"),
    "reader": credentials("1" * 32, MINE, "reader"),
    "colleague": credentials("2" * 32, MINE, "member"),
    "other": credentials("3" * 32, OTHER, "member"),
    "admin": credentials("4" * 32, MINE, "admin"),
    "nobody": credentials("5" * 32, MINE, "nothing"),
}


class FixedIdentity:
    """Knows a few tokens and what they mean."""

    def check(self, token: str) -> Credentials:
        if token not in CALLERS:
            raise Unauthorized("The request you have made requires authentication.")
        return CALLERS[token]


class OneRegion:
    """KR1 with one service at `root`; `call` sends a request, `get` expects a 200 and its JSON."""

    def __init__(self, app: falcon.asgi.App[Any, Any], service: Service, region: Region) -> None:
        self.app: Any = app
        self._client = testing.TestClient(app)
        self.prefix = f"/kr1/{service.name}"
        self.root = ROOT + self.prefix
        self.region = region
        self.store = region.store

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        caller: str | None = "member",
        headers: Mapping[str, str] | None = None,
    ) -> testing.Result:
        """Send a request; `{tenant}` in the path becomes the caller's project.

        Bytes are sent as they are, anything else as JSON, of the kind that the headers say.
        """
        if caller is not None and caller in CALLERS:
            path = path.replace("{tenant}", CALLERS[caller].project_id)
        path, _, query = path.partition("?")
        kind: dict[str, str] = {}
        if body is not None and not isinstance(body, bytes):
            kind, body = {"Content-Type": "application/json"}, json.dumps(body).encode()
        return self._client.simulate_request(
            method,
            self.prefix + path,
            query_string=query,
            headers={
                **kind,
                **(headers or {}),
                **({} if caller is None else {"X-Auth-Token": caller}),
            },
            host="cloud.example",
            body=body,
        )

    def client(self) -> httpx.AsyncClient:
        """A client of the member's, for bodies that are sent while something else happens."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=f"http://cloud.example{self.prefix}",
            headers={"X-Auth-Token": "member"},
        )

    def at_once(self, count: int, method: str, path: str, body: object) -> list[int]:
        """Send the same request of the member's several times at once; return the codes."""

        async def send() -> list[int]:
            async with self.client() as client:
                address = path.removeprefix("/").replace("{tenant}", MINE)
                sent = [client.request(method, address, json=body) for _ in range(count)]
                return [answer.status_code for answer in await asyncio.gather(*sent)]

        return asyncio.run(send())

    def get(self, path: str, *, caller: str = "member") -> Any:
        result = self.call("GET", path, caller=caller)
        assert result.status_code == 200, result.text
        return result.json

    def refused(self, method: str, path: str, body: object = None, **more: Any) -> tuple[int, str]:
        """Send what is refused in Nova's shape; return the code and the message."""
        result = self.call(method, path, body, **more)
        [(name, error)] = result.json.items()
        assert error["code"] == result.status_code
        assert name in {"badRequest", "forbidden", "itemNotFound", "conflictingRequest"}
        return result.status_code, error["message"]


@contextmanager
def one_region(
    url: str, service: Service, fill: Callable[[Database], None] | None = None
) -> Iterator[OneRegion]:
    """A service of the region KR1, with room for small images; `fill` as in `region_store`."""
    with (
        region_store(url, fill) as store,
        ThreadPoolExecutor(4) as workers,
        TemporaryDirectory() as folder,
    ):
        nothing = cast(Any, None)  # neither the engine nor a host is asked by these services
        images = ImageStore(Path(folder, "images"))
        region = Region("KR1", store, nothing, nothing, VirtualClock(), images, LARGEST_IMAGE)
        server = Server(
            identity=cast(Any, FixedIdentity()),
            addresses=Addresses(ROOT, ("KR1",)),
            workers=workers,
            slow_workers=workers,
            stream_workers=workers,
            requests=RequestLog(CollectorRegistry()),
        )
        app: falcon.asgi.App[Any, Any] = application()
        mount(app, server, service, region)
        handler = not_found(server, {f"/kr1/{service.name}": service}, identity_service(("KR1",)))
        app.add_error_handler(falcon.HTTPError, handler)
        yield OneRegion(app, service, region)
