from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio
import falcon
import falcon.asgi
import httpx
import pytest
from prometheus_client import CollectorRegistry

from hanok.api._addresses import Addresses
from hanok.api._call import Answer, Call, Endpoint, Service
from hanok.api._errors import compute_shape
from hanok.api._region import Region
from hanok.api._serve import LARGEST_BODY, Server, application, mount, not_found
from hanok.api.identity.accounts import NewUser
from hanok.api.identity.endpoints import service as identity_service
from hanok.api.identity.service import Identity, ProjectReference, Proof
from hanok.engine.clock import VirtualClock
from hanok.engine.steps import Submission
from hanok.model.errors import Conflict
from hanok.store.database import Database, Transaction
from hanok.store.identity_tables import metadata
from hanok.telemetry.requests import RequestLog

OWN = "https://cloud.example"
NHN = "kr1-api-instance-infrastructure.nhncloudservice.com"
SECRET = "/var/lib/hanok/secret"


def echo(call: Call) -> Answer:
    body = {
        "region": call.region.name,
        "project": call.credentials.project_id,
        "params": dict(call.params),
        "query": list(call.query),
        "body": len(call.body),
        "link": call.base.service("KR1", "compute"),
        "thread": threading.current_thread().name,
    }
    return Answer(202, body, headers={"Location": f"{OWN}/x"})


def fail(_call: Call) -> Answer:
    raise RuntimeError(f"cannot open {SECRET}")


def refuse(_call: Call) -> Answer:
    raise Conflict("Not now.", detail=SECRET)


def credentials_of_nobody(call: Call) -> Answer:
    return Answer(body=call.credentials.user_id)


def unencodable(_call: Call) -> Answer:
    return Answer(body=object())


COMPUTE = Service(
    "compute",
    (
        Endpoint("GET", "", lambda _: Answer(300, {"versions": []}), auth=False),
        Endpoint("POST", "/v2/{tenant}/echo", echo, permission="servers:create"),
        Endpoint("GET", "/v2/{tenant}/echo", echo, permission="servers:read"),
        Endpoint("GET", "/v2/{tenant}/zones/{zone}", echo),
        Endpoint("GET", "/text", lambda _: Answer(200, b"log", content_type="text/plain")),
        Endpoint("DELETE", "/text", lambda _: Answer(204)),
        Endpoint("GET", "/fail", fail, auth=False),
        Endpoint("GET", "/refuse", refuse, auth=False),
        Endpoint("GET", "/nobody", credentials_of_nobody, auth=False),
        Endpoint("GET", "/unencodable", unencodable, auth=False),
    ),
    compute_shape,
)


class Unused:
    """Stands where a region's engine and hosts would; these endpoints need neither."""

    def submit(self, tx: Transaction, submission: Submission) -> str:
        raise AssertionError(submission)

    def query(self, host_id: str, verb: str, args: Mapping[str, Any], deadline: float) -> Any:
        raise AssertionError(verb)


@dataclass
class Cloud:
    """A client of an application that serves identity and a compute service in KR1."""

    app: Any  # an ASGI application; httpx and falcon type the interface differently
    project: str
    member: str
    reader: str
    registry: CollectorRegistry

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        host: str = "cloud.example",
        content: bytes | AsyncIterator[bytes] | None = None,
    ) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            headers = {"X-Auth-Token": token} if token else {}
            async with httpx.AsyncClient(transport=transport, base_url=f"https://{host}") as client:
                return await client.request(method, path, headers=headers, content=content)

        return anyio.run(once)


def with_role(identity: Identity, role: str, project: str) -> str:
    user = identity.accounts.create_user(NewUser(role))
    identity.accounts.assign(user.id, project, role)
    proof = Proof(user.id, ("password",))
    return identity.issue(proof, ProjectReference(id=project)).token


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    database = Database(f"sqlite:///{tmp_path}/identity.db", schema="identity")
    metadata.create_all(database.engine)
    identity = Identity(database, VirtualClock())
    project = identity.accounts.create_project("demo").id
    registry, unused, clock = CollectorRegistry(), Unused(), VirtualClock()
    app = application()
    with (
        ThreadPoolExecutor(2, thread_name_prefix="worker") as workers,
        ThreadPoolExecutor(1, thread_name_prefix="streamer") as streamers,
    ):
        addresses = Addresses(OWN, ["KR1"])
        server = Server(identity, addresses, workers, workers, streamers, RequestLog(registry))
        served = identity_service(["KR1"])
        mount(app, server, served, None)
        mount(
            app, server, COMPUTE, Region("KR1", database, unused, unused, clock, cast(Any, unused))
        )
        handler = not_found(server, {"/kr1/compute": COMPUTE}, served)
        app.add_error_handler(falcon.HTTPRouteNotFound, handler)
        member, reader = (with_role(identity, role, project) for role in ("member", "reader"))
        yield Cloud(app, project, member, reader, registry)
    database.close()


def test_a_handler_gets_all_of_the_request_in_a_worker_thread(cloud: Cloud) -> None:
    path = f"/kr1/compute/v2/{cloud.project}/echo?a=1&a="
    answer = cloud.send("POST", path, token=cloud.member, content=b"12345")
    assert answer.status_code == 202
    assert answer.headers["location"] == f"{OWN}/x"
    seen = answer.json()
    assert seen.pop("thread").startswith("worker")
    assert seen == {
        "region": "KR1",
        "project": cloud.project,
        "params": {"tenant": cloud.project},
        "query": [["a", "1"], ["a", ""]],
        "body": 5,
        "link": f"{OWN}/kr1/compute",
    }


def test_every_answer_has_an_id_of_its_own(cloud: Cloud) -> None:
    ids = set()
    for path in ("/kr1/compute", "/kr1/compute/fail", "/nothing", "/v3"):
        headers = cloud.send("GET", path).headers
        assert headers["x-openstack-request-id"] == headers["x-compute-request-id"]
        assert headers["x-openstack-request-id"].startswith("req-")
        ids.add(headers["x-openstack-request-id"])
    assert len(ids) == 4


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", f"{NHN}.evil.example"])
def test_links_never_come_from_a_foreign_host(cloud: Cloud, host: str) -> None:
    path = f"/kr1/compute/v2/{cloud.project}/echo"
    answer = cloud.send("GET", path, token=cloud.member, host=host)
    assert answer.json()["link"] == f"{OWN}/kr1/compute"
    refused = cloud.send("GET", path, host=host)
    assert "evil" not in refused.text + str(refused.headers)
    assert "evil" not in cloud.send("GET", "/", host=host).text


def test_links_follow_nhn_cloud_s_host(cloud: Cloud) -> None:
    path = f"/kr1/compute/v2/{cloud.project}/echo"
    answer = cloud.send("GET", path, token=cloud.member, host=NHN)
    assert answer.json()["link"] == f"https://{NHN}"


async def chunks(total: int) -> AsyncIterator[bytes]:
    for start in range(0, total, 65_536):
        yield b" " * min(65_536, total - start)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_more_than_a_mebibyte_is_a_413(cloud: Cloud, chunked: bool) -> None:
    path = f"/kr1/compute/v2/{cloud.project}/echo"

    def send(size: int) -> httpx.Response:
        content = chunks(size) if chunked else b" " * size
        return cloud.send("POST", path, token=cloud.member, content=content)

    just = send(LARGEST_BODY)
    assert (just.status_code, just.json()["body"]) == (202, LARGEST_BODY)
    for size in (LARGEST_BODY + 1, 3 * LARGEST_BODY):
        answer = send(size)
        assert answer.status_code == 413
        assert answer.json() == {"overLimit": {"code": 413, "message": "Request is too large."}}


def test_head_is_get_without_a_body(cloud: Cloud) -> None:
    for path in ("/kr1/compute", "/kr1/compute/text", "/kr1/compute/fail"):
        get = cloud.send("GET", path, token=cloud.member)
        head = cloud.send("HEAD", path, token=cloud.member)
        assert head.content == b""
        assert head.status_code == get.status_code
        assert head.headers["content-length"] == str(len(get.content)) != "0"
        assert head.headers["content-type"] == get.headers["content-type"]


def test_bytes_and_nothing_are_sent_as_they_are(cloud: Cloud) -> None:
    text = cloud.send("GET", "/kr1/compute/text", token=cloud.member)
    assert (text.content, text.headers["content-type"]) == (b"log", "text/plain")
    gone = cloud.send("DELETE", "/kr1/compute/text", token=cloud.member)
    assert (gone.status_code, gone.content) == (204, b"")


@pytest.mark.parametrize("method", ["PUT", "OPTIONS"])
def test_another_method_is_a_405_in_the_service_s_shape(cloud: Cloud, method: str) -> None:
    answer = cloud.send(method, "/kr1/compute/text", token=cloud.member)
    assert answer.status_code == 405
    message = f"The method {method} is not allowed for this resource."
    assert answer.json() == {"badMethod": {"code": 405, "message": message}}
    assert answer.headers["allow"] == "DELETE, GET, HEAD", "what there is, and nothing else"
    head = cloud.send("HEAD", "/v2.0/tokens")
    assert head.status_code == 405, "no GET, no HEAD"


NOT_FOUND = "The resource could not be found."


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/kr1/compute/nothing", "itemNotFound"),
        ("/kr1/compute/v2/x/y/z", "itemNotFound"),
        ("/nothing", "error"),
        ("/kr2/compute/text", "error"),
        ("/kr2/compute", "error"),
        ("/kr1/nothing/v2", "error"),
        ("/kr1", "error"),
    ],
)
def test_an_unknown_path_is_a_404_in_the_shape_of_what_it_lies_under(
    cloud: Cloud, path: str, name: str
) -> None:
    answer = cloud.send("GET", path)
    assert answer.status_code == 404
    ((key, value),) = answer.json().items()
    assert (key, value["code"], value["message"]) == (name, 404, NOT_FOUND)


@pytest.mark.parametrize("path", ["fail", "nobody", "unencodable"])
def test_a_bug_is_a_500_that_tells_nothing(
    cloud: Cloud, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = cloud.send("GET", f"/kr1/compute/{path}")
    assert answer.status_code == 500
    message = "An unexpected error prevented the server from fulfilling your request."
    assert answer.json() == {"computeFault": {"code": 500, "message": message}}
    logged = capsys.readouterr().out
    assert "Traceback" in logged
    assert answer.headers["x-openstack-request-id"] in logged


def test_a_refusal_shows_its_message_and_logs_its_detail(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = cloud.send("GET", "/kr1/compute/refuse")
    assert answer.json() == {"conflictingRequest": {"code": 409, "message": "Not now."}}
    assert SECRET in capsys.readouterr().out


def test_a_token_is_asked_for_before_anything_else(cloud: Cloud) -> None:
    path = f"/kr1/compute/v2/{cloud.project}/echo"
    for token in ("", "0" * 32):
        answer = cloud.send("GET", path, token=token)
        assert answer.status_code == 401
        assert answer.json()["error"]["title"] == "Unauthorized"
        assert answer.headers["www-authenticate"] == f'Keystone uri="{OWN}"'


def test_the_permission_is_asked_for(cloud: Cloud) -> None:
    path = f"/kr1/compute/v2/{cloud.project}/echo"
    assert cloud.send("GET", path, token=cloud.reader).status_code == 202
    answer = cloud.send("POST", path, token=cloud.reader, content=b"{}")
    assert answer.status_code == 403
    assert answer.json()["forbidden"]["code"] == 403


def test_the_path_s_project_must_be_the_token_s(cloud: Cloud) -> None:
    answer = cloud.send("GET", "/kr1/compute/v2/other/echo", token=cloud.member)
    assert answer.status_code == 400
    assert answer.json()["badRequest"]["message"] == (
        "Malformed request URL: URL's project_id 'other' doesn't match "
        f"Context's project_id '{cloud.project}'"
    )


def test_a_nul_in_the_path_is_a_400(cloud: Cloud) -> None:
    path = f"/kr1/compute/v2/{cloud.project}/zones/a%00b"
    answer = cloud.send("GET", path, token=cloud.member)
    assert answer.status_code == 400
    assert "NUL" in answer.json()["badRequest"]["message"]


def test_answers_are_counted_by_route_and_never_by_path(cloud: Cloud) -> None:
    cloud.send("GET", f"/kr1/compute/v2/{cloud.project}/zones/a", token=cloud.member)
    cloud.send("GET", "/kr1/compute/nothing")
    cloud.send("PUT", "/kr1/compute/text")

    def count(method: str, route: str, status: int) -> float | None:
        labels = {"service": "compute", "method": method, "route": route, "status": str(status)}
        return cloud.registry.get_sample_value("hanok_requests_total", labels)

    assert count("GET", "/v2/{tenant}/zones/{zone}", 202) == 1
    assert count("GET", "-", 404) == 1
    assert count("PUT", "-", 405) == 1


def test_many_requests_at_once_share_the_workers(cloud: Cloud) -> None:
    async def many() -> list[int]:
        transport = httpx.ASGITransport(cloud.app)
        codes: list[int] = []
        async with (
            httpx.AsyncClient(transport=transport, base_url=OWN) as client,
            anyio.create_task_group() as group,
        ):

            async def one() -> None:
                codes.append((await client.get("/kr1/compute")).status_code)

            for _ in range(50):
                group.start_soon(one)
        return codes

    assert anyio.run(many) == [300] * 50
