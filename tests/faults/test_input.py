"""An attacker's half hour: whatever is sent to any endpoint, the answer is a service's own."""

from __future__ import annotations

import json
import random
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import httpx
import pytest

from hanok.api._call import Endpoint, Service
from hanok.api.compute import service as compute
from hanok.api.identity import endpoints as identity
from hanok.api.image import service as image
from hanok.api.network import service as network
from hanok.api.volume import service as volume
from hanok.policy.rules import ADMIN, PERMISSIONS
from tests.e2e.cloud import Account, Cloud, ids
from tests.e2e.region import Region, region
from tests.faults.attack import Attacker, Known, Shot
from tests.faults.odd_bytes import LINES

SERVICES: tuple[Service, ...] = (
    compute.service(),
    image.service(),
    network.service(),
    volume.service(),
    identity.service(("KR1",)),
)
ENDPOINTS = [(service, endpoint) for service in SERVICES for endpoint in service.endpoints]
REFUSALS = {400, 401, 403, 404, 405, 409, 413, 415, 501}
SLOW = 503
"""Log-ins may be told to come back later."""
QUERIES = 6
"""Requests with a bad query, for each endpoint."""
FEWEST = 2_500
ADMIN_ONLY = {name for name, roles in PERMISSIONS.items() if roles == ADMIN}
SPILLS = ("Traceback", "sqlalchemy", "sqlite3", "psycopg", 'File "', "/site-packages/")


@dataclass(slots=True)
class Scene:
    """A region, the attacker's ways in (a member's and an admin's), and somebody else in it."""

    region: Region
    member: Cloud
    admin: Cloud
    other: Cloud
    theirs: dict[str, str]


@pytest.fixture(scope="module")
def scene(database_options: tuple[str, ...]) -> Iterator[Scene]:
    with region("simulated", *database_options) as running:
        member, admin = running.cloud(), running.cloud(running.account("admin"))
        other = _somebody_else(running, admin, "them")
        yield Scene(running, member, admin, other, _their_things(other))


@pytest.fixture(scope="module", autouse=True)
def known(scene: Scene) -> Known:
    """What is there, for the tests that spoil nothing."""
    return targets(scene, "bystander")


def targets(scene: Scene, name: str) -> Known:
    """Make what an attack is aimed at: a server, volumes, and an account that may be lost."""
    member, admin = scene.member, scene.admin
    victim = _somebody_else(scene.region, admin, name)
    server = member.create(name, "m2.c1m2")
    shown = member.wait_status(server, "ACTIVE")
    body = {"volume": {"size": 1, "name": name}}
    blank = member.call("POST", "volumev2", "/volumes", body, status=202)["volume"]["id"]
    member.settle()
    root = shown["os-extended-volumes:volumes_attached"][0]["id"]
    (port,) = [one["id"] for one in member.ports() if one["device_id"] == server]
    flavor = member.flavors()["m2.c1m2"]["id"]
    own_flavor = {"flavor": {"name": name, "vcpus": 1, "ram": 64, "disk": 0}}
    spare = admin.call("POST", "compute", "/flavors", own_flavor)["flavor"]["id"]
    group = member.get("network", "/v2.0/security-groups")["security_groups"][0]["id"]
    return Known(
        tenant=member.account.project_id,
        parts={
            "server": (server,),
            "volume": (blank, root),
            "id": (port, group, member.subnet_id()),
            "image": (member.image_id(),),
            "flavor": (spare,),
            "project": (victim.account.project_id,),
            "user": (_user_id(admin, name),),
            "key": ("a",),
            "domain": ("default",),
        },
        image=member.image_id(),
        flavor=flavor,
        subnet=member.subnet_id(),
        group=group,
    )


def _somebody_else(running: Region, admin: Cloud, name: str) -> Cloud:
    """A user with a project of the same name."""
    root, password = running.url, "somebody-else-1"

    def post(path: str, body: object) -> dict[str, dict[str, str]]:
        answer = admin.http.post(root + path, json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, dict[str, str]] = answer.json()
        return found

    project = post("/v3/projects", {"project": {"name": name}})["project"]["id"]
    user = post("/v3/users", {"user": {"name": name, "password": password}})["user"]["id"]
    roles = admin.http.get(f"{root}/v3/roles").json()["roles"]
    (role,) = [one["id"] for one in roles if one["name"] == "member"]
    granted = admin.http.put(f"{root}/v3/projects/{project}/users/{user}/roles/{role}")
    assert granted.status_code == 204, granted.text
    return running.cloud(Account(root, name, password, project, "KR1"))


def _user_id(admin: Cloud, name: str) -> str:
    users = admin.http.get(f"{admin.account.url}/v3/users").json()["users"]
    (found,) = [user["id"] for user in users if user["name"] == name]
    return str(found)


def _their_things(other: Cloud) -> dict[str, str]:
    """What they have, by the names of paths' parts; a project of its own has no network yet."""
    pair = {"keypair": {"name": "theirs"}}
    other.call("POST", "compute", "/os-keypairs", pair)
    body = {"volume": {"size": 1, "name": "theirs"}}
    made = other.call("POST", "volumev2", "/volumes", body, status=202)["volume"]
    other.settle()
    server = other.server_body("theirs", "u2.c1m1", networks="none")
    created = other.call("POST", "compute", "/servers", server, status=202)["server"]["id"]
    other.wait_status(created, "ACTIVE")
    groups = other.get("network", "/v2.0/security-groups")["security_groups"]
    return {"server": created, "volume": made["id"], "keypair": "theirs", "id": groups[0]["id"]}


def root_of(scene: Scene, service: Service) -> str:
    """Where a service's paths begin."""
    prefix = "" if service.name == "identity" else f"/kr1/{service.name}"
    return scene.region.url + prefix


def fire(scene: Scene, cloud: Cloud, service: Service, shot: Shot) -> httpx.Response:
    headers = {**cloud.http.headers, **shot.headers}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    url = httpx.URL(root_of(scene, service))
    path = urlsplit(root_of(scene, service)).path + shot.path
    request = httpx.Request(
        shot.method,
        url.copy_with(raw_path=path.encode("ascii") or b"/"),
        headers=raw,
        content=shot.body,
    )
    return cloud.http.send(request)


def check(service: Service, shot: Shot, answer: httpx.Response) -> None:
    """The answer is a success, or a refusal in the service's own shape that says why."""
    where = f"{service.name}: {shot.method} {shot.path[:300]} {(shot.body or b'')[:300]!r}"
    said = f"{where}\n-> {answer.status_code} {answer.text[:500]}"
    for spill in SPILLS:
        assert spill not in answer.text, said
    assert answer.headers.get("x-openstack-request-id"), said
    if answer.status_code < 400:
        return
    slow = service.name == "identity" and answer.status_code == SLOW
    assert slow or answer.status_code in REFUSALS, said
    if shot.method == "HEAD":
        return
    assert 0 < len(_message(service, answer).strip()) < 100_000, said


def _message(service: Service, answer: httpx.Response) -> str:
    """Read the sentence out of the shape that the service has for failures."""
    if answer.status_code != 401 and service.name == "image":
        assert answer.text.startswith("<html>"), answer.text
        return answer.text
    body = json.loads(answer.content)
    assert len(body) == 1, body
    ((name, inner),) = body.items()
    if answer.status_code == 401:
        assert name == "error"
        if service.name != "identity":
            assert answer.headers["www-authenticate"].startswith("Keystone uri=")
    elif service.name == "network":
        assert name == "NeutronError"
        assert inner["type"]
        return str(inner["message"])
    elif service.name == "identity":
        assert name == "error"
        assert inner["title"]
    assert inner["code"] == answer.status_code, body
    return str(inner["message"])


def attack(scene: Scene, seed: int, share: int = 1) -> None:
    """Send every endpoint all that it has to refuse, or a share of it; deletes at the end.

    Each is attacked by the one who gets furthest: the admin where only he may pass.
    """
    attacker = Attacker(random.Random(seed), targets(scene, f"victim-{seed}"))
    volleys = []
    for service, endpoint in sorted(ENDPOINTS, key=lambda one: one[1].method == "DELETE"):
        shots = list(attacker.shots(endpoint, QUERIES))
        if endpoint.slow or endpoint.path.startswith("/v3/users"):
            shots = shots[::4]  # many cost a password's hash
        volleys.append((_who(scene, endpoint), service, shots[seed % share :: share]))
    fire_all(scene, volleys)


def _who(scene: Scene, endpoint: Endpoint) -> Cloud:
    return scene.admin if endpoint.permission in ADMIN_ONLY else scene.member


def fire_all(scene: Scene, volleys: list[tuple[Cloud, Service, list[Shot]]]) -> None:
    """Send all of it and fail with the wrong answers, at most one for each volley."""
    assert sum(len(shots) for *_, shots in volleys) > FEWEST
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(_volley, scene, *volley) for volley in volleys]
    wrong = [said for one in done if (said := one.result()) is not None]
    assert not wrong, "\n\n".join(wrong)


def _volley(scene: Scene, cloud: Cloud, service: Service, shots: list[Shot]) -> str | None:
    for shot in shots:
        try:
            check(service, shot, fire(scene, cloud, service, shot))
        except AssertionError as error:
            return str(error)
    return None


def failures_of_ours(running: Region) -> list[str]:
    """What the region logged of requests that it could not answer itself."""
    return [line[-2_000:] for line in running.log.splitlines() if '"request failed"' in line]


def check_unharmed(scene: Scene) -> None:
    """Everything can still be read and done, and nothing was logged as a failure of ours."""
    assert failures_of_ours(scene.region) == []
    for service, endpoint in ENDPOINTS:
        path = endpoint.path.replace("{tenant}", scene.member.account.project_id)
        if endpoint.method == "GET" and "{" not in path and path != "/v3/auth/tokens":
            answer = fire(scene, scene.admin, service, Shot("GET", path))
            assert answer.status_code in {200, 300}, f"{service.name}: {path}: {answer.text}"
    made = scene.admin.create("after all", "t2.c1m1")
    scene.admin.wait_status(made, "ACTIVE")
    scene.admin.delete(made)
    scene.admin.wait_gone(made)


@pytest.mark.parametrize("share", [pytest.param(1, marks=pytest.mark.slow), 5])
def test_fault_59_bad_input_is_refused_in_the_service_s_shape(scene: Scene, share: int) -> None:
    attack(scene, 58 + share, share)
    check_unharmed(scene)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fault_59_two_things_wrong_at_once(scene: Scene) -> None:
    seed = random.SystemRandom().randrange(10**9)
    attacker = Attacker(random.Random(seed), targets(scene, f"victim-{seed}"))
    volleys = []
    for service, endpoint in ENDPOINTS:
        if attacker.samples(endpoint) and endpoint.method != "GET":
            count = 50 if endpoint.slow else 400 * len(attacker.samples(endpoint))
            shots = [attacker.doubly_broken(endpoint) for _ in range(count)]
            volleys.append((_who(scene, endpoint), service, shots))
    try:
        fire_all(scene, volleys)
        check_unharmed(scene)
    except AssertionError as error:
        error.add_note(f"the seed was {seed}")
        raise


def test_other_projects_things_are_not_found(scene: Scene, known: Known) -> None:
    """Whoever asks for them is answered as if they were not there, and they stay as they are."""
    before = (scene.other.servers(), scene.other.volumes())
    theirs = replace(known, parts={name: (one,) for name, one in scene.theirs.items()})
    attacker = Attacker(random.Random(1), theirs)
    for service, endpoint in ENDPOINTS:
        names = re.findall(r"{(\w+)}", endpoint.path)
        if service.name == "identity" or not names or names[-1] not in scene.theirs:
            continue
        shot = Shot(endpoint.method, attacker.path(endpoint), attacker.right_body(endpoint))
        answer = fire(scene, scene.member, service, shot)
        check(service, shot, answer)
        understood = endpoint.method in {"GET", "DELETE"} or attacker.samples(endpoint)
        refused = {404} if understood else {400, 404}
        if answer.status_code == 501:
            continue  # not offered, whoever asks
        assert answer.status_code in refused, f"{service.name} {shot}: {answer.text}"
    assert (scene.other.servers(), scene.other.volumes()) == before


def test_another_projects_paths_are_refused(scene: Scene, known: Known) -> None:
    theirs = replace(known, tenant=scene.other.account.project_id)
    attacker = Attacker(random.Random(2), theirs)
    for service, endpoint in ENDPOINTS:
        if "{tenant}" in endpoint.path:
            shot = Shot(endpoint.method, attacker.path(endpoint), attacker.right_body(endpoint))
            answer = fire(scene, scene.member, service, shot)
            check(service, shot, answer)
            assert answer.status_code in {400, 403, 404}, f"{service.name} {shot}: {answer.text}"


@pytest.mark.parametrize("token", ["", "0" * 32, "\xff" * 40, "x" * 7_000, "../.."])
def test_without_a_token_every_service_answers_as_identity_does(
    scene: Scene, known: Known, token: str
) -> None:
    attacker = Attacker(random.Random(3), known)
    for service, endpoint in ENDPOINTS:
        if endpoint.auth:
            headers = {"X-Auth-Token": token}
            shot = Shot(endpoint.method, attacker.path(endpoint), b"{}", headers)
            answer = fire(scene, scene.member, service, shot)
            check(service, shot, answer)
            assert answer.status_code == 401, f"{service.name} {shot}: {answer.text}"


def test_links_never_name_a_foreign_host(scene: Scene, known: Known) -> None:
    evil = {
        "Host": "evil.example:666",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "host=evil",
    }
    attacker = Attacker(random.Random(4), known)
    for service, endpoint in ENDPOINTS:
        if endpoint.method == "GET":
            shot = Shot("GET", attacker.path(endpoint), headers=evil)
            answer = fire(scene, scene.member, service, shot)
            check(service, shot, answer)
            assert "evil" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "POST", "TRACE"])
def test_odd_methods(scene: Scene, known: Known, method: str) -> None:
    there = {(service.name, one.path) for service, one in ENDPOINTS if one.method == method}
    attacker = Attacker(random.Random(5), known)
    for service, endpoint in ENDPOINTS:
        if (service.name, endpoint.path) in there:
            continue
        shot = Shot(method, attacker.path(endpoint))
        answer = fire(scene, scene.member, service, shot)
        check(service, shot, answer)
        if method != "HEAD":
            assert answer.status_code == 405, f"{service.name} {shot}: {answer.text}"
        if method not in {"HEAD", "TRACE"}:
            assert endpoint.method in answer.headers["allow"]


def test_paths_that_are_nowhere_have_the_shape_of_the_service_they_lie_under(scene: Scene) -> None:
    for service in SERVICES:
        for path in ("/nothing", "/v2/x/servers/a/b/c/d", "/v9", "/%00", "/v2/%2e%2e/%2e%2e"):
            shot = Shot("GET", path)
            answer = fire(scene, scene.member, service, shot)
            check(service, shot, answer)
            assert answer.status_code in {400, 404}, f"{service.name} {path}: {answer.text}"


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_odd_bytes_on_the_wire_are_answered_or_cut_off(scene: Scene, line: bytes) -> None:
    address = urlsplit(scene.region.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.settimeout(5)
        try:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65_536)
        except ConnectionError:
            answer = b""
    if answer:
        status = int(answer.split()[1])
        assert status < 500, answer
    assert httpx.get(f"{scene.region.url}/v2.0", trust_env=False).status_code == 200


def test_the_region_is_whole_after_all(scene: Scene) -> None:
    """What came of the attack is only what was rightly asked for."""
    scene.member.settle()
    scene.other.settle()
    assert scene.theirs["server"] in ids(scene.other.servers())
    for cloud in (scene.member, scene.other):
        for server in cloud.servers():
            cloud.delete(server["id"])
    scene.member.settle()
    scene.other.settle()
    assert scene.member.servers() == scene.other.servers() == []
    assert failures_of_ours(scene.region) == []
    assert scene.region.terminate()[0] == 0
