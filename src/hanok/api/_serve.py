"""Puts services behind routes: one hop into a worker thread for everything a request needs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

import falcon
import falcon.asgi
import structlog

from hanok.api import _views
from hanok.api._addresses import Addresses, Base
from hanok.api._call import Answer, Call, Endpoint, Service
from hanok.api._errors import INTERNAL, Rendered
from hanok.api._query import Query
from hanok.api._region import Region
from hanok.api._stream import FileBody, Request, blocks
from hanok.api.identity.service import Identity
from hanok.model.errors import HanokError, Invalid, MethodNotAllowed, NotFound, TooLarge
from hanok.policy.rules import authorize
from hanok.telemetry.requests import Answered, RequestLog

log = structlog.get_logger("hanok.api")
LARGEST_BODY = 1_048_576
# OPTIONS among them: left to the framework it promises methods that are none.
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_Response = falcon.asgi.Response


@dataclass(frozen=True, slots=True)
class Server:
    """What every route shares."""

    identity: Identity
    addresses: Addresses
    workers: Executor
    slow_workers: Executor
    stream_workers: Executor
    requests: RequestLog


@dataclass(frozen=True, slots=True)
class _Received:
    """A request as far as the event loop has read it."""

    method: str
    request: Request
    params: Mapping[str, str]
    body: bytes
    blocks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class _Served:
    """A response, and the open file that is its body where `rendered` has none."""

    rendered: Rendered
    request_id: str
    file: BinaryIO | None = None


class Route:
    """One path of one service: the endpoints of its methods."""

    def __init__(
        self, server: Server, service: Service, region: Region | None, endpoints: list[Endpoint]
    ) -> None:
        self._server = server
        self._service = service
        self._region = region
        self._endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        if "GET" in self._endpoints:
            self._endpoints.setdefault("HEAD", self._endpoints["GET"])
        for method in _METHODS:
            setattr(self, f"on_{method.lower()}", partial(self._serve, method))

    async def _serve(
        self, method: str, request: Request, response: _Response, **params: str
    ) -> None:
        started = time.perf_counter()
        endpoint = self._endpoints.get(method)
        stream = endpoint is not None and endpoint.stream
        body = b""
        if method in ("POST", "PUT", "PATCH") and not stream:
            body = await _body(request)
        loop = asyncio.get_running_loop()
        received = _Received(method, request, params, body, blocks(request, loop))
        work = partial(self._work, received)
        served = await loop.run_in_executor(self._workers(endpoint), work)
        rendered = served.rendered
        _send(response, rendered, served.request_id, head=method == "HEAD")
        if served.file is not None:
            response.stream = FileBody(served.file, request, self._server.workers)
        if endpoint is None:
            response.set_header("allow", ", ".join(sorted(self._endpoints)))
        self._server.requests.note(
            Answered(
                service=self._service.name,
                method=method,
                route=endpoint.path if endpoint else "-",
                path=request.path,
                status=rendered.status,
                seconds=time.perf_counter() - started,
                request_id=served.request_id,
            )
        )

    def _workers(self, endpoint: Endpoint | None) -> Executor:
        if endpoint is not None and endpoint.stream:
            return self._server.stream_workers
        if endpoint is not None and endpoint.slow:
            return self._server.slow_workers
        return self._server.workers

    def _work(self, received: _Received) -> _Served:
        """Everything of a request, in a worker thread."""
        request_id = self._server.requests.new_id()
        request = received.request
        _, base = self._server.addresses.resolve(request.get_header("host") or "")
        try:
            return _served(self._answer(received, base, request_id), request_id, received.method)
        except HanokError as error:
            rendered = self._service.errors(error, base.identity)
            log.info("refused", request_id=request_id, status=rendered.status, error=str(error))
        except Exception:
            log.exception("request failed", request_id=request_id, path=request.path)
            rendered = self._service.errors(HanokError(INTERNAL), base.identity)
        return _Served(rendered, request_id)

    def _answer(self, received: _Received, base: Base, request_id: str) -> Answer:
        method, request, params = received.method, received.request, received.params
        endpoint = self._endpoints.get(method)
        if endpoint is None:
            raise MethodNotAllowed(f"The method {method} is not allowed for this resource.")
        if len(received.body) > LARGEST_BODY:
            raise TooLarge("Request is too large.")
        if any("\0" in value for value in params.values()):
            raise Invalid("The path contains a NUL character.")
        call = Call(
            identity=self._server.identity,
            base=base,
            params=params,
            query=Query(request.query_string),
            headers=request.headers,
            body=received.body,
            request_id=request_id,
            _region=self._region,
            blocks=received.blocks,
        )
        if endpoint.auth:
            credentials = self._server.identity.check(request.get_header("x-auth-token") or "")
            call._credentials = credentials
            tenant = params.get("tenant")
            if tenant is not None and tenant != credentials.project_id:
                raise Invalid(
                    f"Malformed request URL: URL's project_id '{tenant}' doesn't match "
                    f"Context's project_id '{credentials.project_id}'"
                )
            if endpoint.permission is not None:
                authorize(credentials, endpoint.permission)
        return endpoint.handler(call)


def _served(answer: Answer, request_id: str, method: str) -> _Served:
    """Encode an answer; open the file that it names, unless only its head is wanted.

    Raises NotFound where the file went after the answer was made.
    """
    if answer.file is not None:
        try:
            size = str(answer.file.stat().st_size)
            file = None if method == "HEAD" else answer.file.open("rb")
        except FileNotFoundError as error:
            raise NotFound("What was asked for has just been deleted.") from error
        headers = {**answer.headers, "content-length": size}
        rendered = Rendered(answer.status, b"", answer.content_type, headers)
        return _Served(rendered, request_id, file)
    content = answer.body
    if content is None:
        content = b""
    elif not isinstance(content, bytes):
        content = _views.encode(content)
    rendered = Rendered(answer.status, content, answer.content_type, answer.headers)
    return _Served(rendered, request_id)


async def _body(request: Request) -> bytes:
    """Read the body, at most one byte over the limit; the worker refuses what is too large."""
    length = request.content_length
    if length is not None and length > LARGEST_BODY:
        return b" " * (LARGEST_BODY + 1)
    return await request.stream.read(LARGEST_BODY + 1)


def _send(response: _Response, rendered: Rendered, request_id: str, *, head: bool) -> None:
    response.status = rendered.status
    response.set_header("x-openstack-request-id", request_id)
    response.set_header("x-compute-request-id", request_id)
    for name, value in rendered.headers.items():
        response.set_header(name, value)
    if rendered.body:
        response.content_type = rendered.content_type
        if head:
            response.set_header("content-length", str(len(rendered.body)))
        else:
            response.data = rendered.body
    elif "content-type" not in rendered.headers:
        response.content_type = rendered.content_type


def application() -> falcon.asgi.App[Any, Any]:
    """Make the application that services are mounted in."""
    return falcon.asgi.App(request_type=Request)


def mount(
    app: falcon.asgi.App[Any, Any], server: Server, service: Service, region: Region | None
) -> None:
    """Add a service's endpoints below its prefix; a final slash makes no difference."""
    app.req_options.strip_url_path_trailing_slash = True
    prefix = "" if region is None else f"/{region.name.lower()}/{service.name}"
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in service.endpoints:
        by_path.setdefault(endpoint.path, []).append(endpoint)
    for path, endpoints in by_path.items():
        app.add_route(prefix + path or "/", Route(server, service, region, endpoints))


def _refusal(failure: falcon.HTTPError, method: str) -> HanokError:
    """Say in our words what the framework refused by itself."""
    if isinstance(failure, falcon.HTTPNotFound):
        return NotFound("The resource could not be found.")
    if isinstance(failure, falcon.HTTPMethodNotAllowed) or failure.status_code == 405:
        return MethodNotAllowed(f"The method {method} is not allowed for this resource.")
    return Invalid("The request cannot be understood.", detail=str(failure))


def not_found(
    server: Server, services: Mapping[str, Service], identity: Service
) -> Callable[..., Any]:
    """Make the handler for what the framework refuses: unknown paths, odd methods and headers.

    The answer has the shape of the service that the path lies under.
    """

    async def handle(
        request: Request, response: _Response, failure: falcon.HTTPError, _params: Any
    ) -> None:
        prefix = "/".join(request.path.split("/")[:3])
        service = services.get(prefix, identity)
        _, base = server.addresses.resolve(request.get_header("host") or "")
        error = _refusal(failure, request.method)
        request_id = server.requests.new_id()
        rendered = service.errors(error, base.identity)
        _send(response, rendered, request_id, head=request.method == "HEAD")
        server.requests.note(
            Answered(
                service.name, request.method, "-", request.path, rendered.status, 0.0, request_id
            )
        )

    return handle
