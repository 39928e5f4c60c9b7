"""Identity behind a real application, on a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import falcon.asgi
import pytest
from falcon import testing
from prometheus_client import CollectorRegistry

from hanok.api._addresses import Addresses
from hanok.api._serve import Server, application, mount, not_found
from hanok.api.identity.accounts import Bootstrap
from hanok.api.identity.endpoints import service
from hanok.api.identity.service import Identity, ProjectReference, Proof
from hanok.engine.clock import VirtualClock
from hanok.store.database import Database
from hanok.store.identity_tables import metadata
from hanok.telemetry.requests import RequestLog

PUBLIC_URL = "http://cloud.example:9000"
REGIONS = ("KR1", "KR2")


class Api:
    """Calls identity as a client does; `admin` and `member` are tokens for the first project."""

    def __init__(self, app: falcon.asgi.App[Any, Any], identity: Identity, made: Bootstrap) -> None:
        self._client = testing.TestClient(app)
        self.identity = identity
        self.made = made
        self.admin = self.token(made.admin.id)
        self.member = self.token(made.member.id)

    def token(self, user_id: str, project_id: str | None = None) -> str:
        """A token that cost no password check; for the first project unless told."""
        scope = ProjectReference(id=project_id or self.made.project.id)
        return self.identity.issue(Proof(user_id, ("password",)), scope).token

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> testing.Result:
        """Send a request: bytes as they are, anything else as JSON."""
        sent = dict(headers or {})
        host = sent.pop("Host", "cloud.example")
        if token is not None:
            sent["X-Auth-Token"] = token
        path, _, query = path.partition("?")
        raw = body if isinstance(body, bytes) else None
        return self._client.simulate_request(
            method,
            path,
            query_string=query,
            headers=sent,
            host=host,
            body=raw,
            json=None if raw is not None else body,
        )


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, schema="public")
    metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def identity(database: Database, clock: VirtualClock) -> Identity:
    return Identity(database, clock)


@pytest.fixture
def made(identity: Identity) -> Bootstrap:
    made = identity.bootstrap()
    assert made is not None
    return made


@pytest.fixture
def api(identity: Identity, made: Bootstrap) -> Iterator[Api]:
    app = application()
    with ThreadPoolExecutor(2) as workers:
        addresses = Addresses(PUBLIC_URL, REGIONS)
        server = Server(
            identity, addresses, workers, workers, workers, RequestLog(CollectorRegistry())
        )
        served = service(REGIONS)
        mount(app, server, served, None)
        app.add_error_handler(falcon.HTTPRouteNotFound, not_found(server, {}, served))
        yield Api(app, identity, made)
