"""The wiring: what of a process's parts meets what, in one process with two regions."""

from __future__ import annotations

import asyncio
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from hanok.api.identity.accounts import NewUser
from hanok.api.identity.service import Identity, ProjectReference, Proof
from hanok.app import App, IdentityAlone, StateDirectory, StateDirectoryInUse
from hanok.config import Config
from hanok.drivers.simulated.config import FailureRule, FaultPlan
from hanok.drivers.simulated.world import World
from hanok.model.errors import Conflict, HanokError
from hanok.model.moments import SECOND
from hanok.store import hosts, volumes
from tests.drivers.scene import wait_for
from tests.store.volume_rows import a_volume

OWN = "https://cloud.example"
NHN = "nhncloudservice.com"


@dataclass
class Cloud:
    """A process's App, as a client of the project `demo` sees it."""

    app: App
    project: str
    token: str
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._asgi = self.app.asgi()

    def send(
        self, method: str, path: str, *, host: str = "cloud.example", body: Any = None
    ) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self._asgi)
            headers = {"X-Auth-Token": self.token}
            async with httpx.AsyncClient(transport=transport, base_url=f"https://{host}") as client:
                address = path.replace("{project}", self.project)
                return await client.request(method, address, headers=headers, json=body)

        return asyncio.run(once())

    def get(self, path: str, **more: Any) -> Any:
        answer = self.send("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()


def member_of(identity: Identity, project: str) -> str:
    """A token of a new member's."""
    user = identity.accounts.create_user(NewUser("someone"))
    identity.accounts.assign(user.id, project, "member")
    return identity.issue(Proof(user.id, ("password",)), ProjectReference(id=project)).token


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    said: list[str] = []
    state = tmp_path_factory.mktemp("app") / "state"
    config = Config(driver="simulated", state=state, regions=("KR1", "KR2"), image_limit_gib=3)
    app = App(config, OWN, said.append)
    project = app.identity.accounts.create_project("demo").id
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hanok.reconcile.leftovers.EVERY", SECOND // 5)
        app.start((project,))
        assert wait_for(lambda: sum("joined" in line for line in said) == 2)
        yield Cloud(app, project, member_of(app.identity, project), said)
        app.stop()


@pytest.mark.parametrize("region", ["kr1", "kr2"])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("compute/v2/{project}/servers", "servers"),
        ("compute/v2/{project}/flavors", "flavors"),
        ("image/v2/images", "images"),
        ("volume/v2/{project}/types", "volume_types"),
        ("volume/v3/{project}/volumes", "volumes"),
        ("network/v2.0/networks", "networks"),
    ],
)
def test_every_service_of_every_region_answers(
    cloud: Cloud, region: str, path: str, name: str
) -> None:
    assert name in cloud.get(f"/{region}/{path}")


@pytest.mark.parametrize(
    ("host", "path", "name"),
    [
        (f"kr1-api-instance-infrastructure.{NHN}", "/v2/{project}/servers", "servers"),
        (f"KR2-api-image-infrastructure.{NHN}:443", "/v2/images", "images"),
        (f"kr1-api-network-infrastructure.{NHN}", "/v2.0/networks", "networks"),
        (f"kr2-api-block-storage-infrastructure.{NHN}", "/v2/{project}/types", "volume_types"),
        (f"api-identity-infrastructure.{NHN}", "/v2.0", "version"),
    ],
)
def test_nhn_clouds_own_host_names_lead_to_the_same_places(
    cloud: Cloud, host: str, path: str, name: str
) -> None:
    assert name in cloud.get(path, host=host)
    assert cloud.send("GET", path.replace("/v2", "/kr1/compute/v2"), host=host).status_code == 404


def test_what_is_nowhere_has_the_shape_of_what_it_lies_under(cloud: Cloud) -> None:
    shapes = {
        "/kr2/network/nothing": "NeutronError",
        "/kr1/compute/nothing": "itemNotFound",
        "/kr3/compute/v2": "error",
    }
    for path, shape in shapes.items():
        answer = cloud.send("GET", path)
        assert (answer.status_code, list(answer.json())) == (404, [shape])
    assert cloud.send("GET", "/kr1/image/nothing").headers["content-type"].startswith("text/html")


def test_each_region_is_a_whole_of_its_own(cloud: Cloud) -> None:
    flavors = [cloud.get(f"/{region}/compute/v2/{{project}}/flavors") for region in ("kr1", "kr2")]
    ids = [{one["id"] for one in body["flavors"]} for body in flavors]
    assert not ids[0] & ids[1]
    pair = {"keypair": {"name": "mine"}}
    cloud.send("POST", "/kr1/compute/v2/{project}/os-keypairs", body=pair)
    kept = [cloud.get(f"/{region}/compute/v2/{{project}}/os-keypairs") for region in ("kr1", "kr2")]
    assert [len(body["keypairs"]) for body in kept] == [1, 0]
    folders = [cloud.app.state.region(region) / "images" for region in ("KR1", "KR2")]
    assert [len(list(folder.iterdir())) for folder in folders] == [1, 1]


def test_a_request_reaches_the_engine_and_the_host(cloud: Cloud) -> None:
    body = {"volume": {"size": 1, "availability_zone": "kr-pub-a"}}
    made = cloud.send("POST", "/kr1/volume/v2/{project}/volumes", body=body)
    assert made.status_code == 202, made.text
    path = f"/kr1/volume/v2/{{project}}/volumes/{made.json()['volume']['id']}"
    assert wait_for(lambda: cloud.get(path)["volume"]["status"] == "available")
    disks = cloud.app.state.region("KR1") / "world"
    assert any(made.json()["volume"]["id"] in str(file) for file in disks.rglob("*"))
    assert cloud.send("DELETE", path).status_code == 202
    assert wait_for(lambda: cloud.send("GET", path).status_code == 404)


def test_what_a_host_does_too_late_is_removed(cloud: Cloud) -> None:
    body = {"volume": {"size": 1, "availability_zone": "kr-pub-a"}}
    made = cloud.send("POST", "/kr1/volume/v2/{project}/volumes", body=body)
    volume_id = made.json()["volume"]["id"]
    path = f"/kr1/volume/v2/{{project}}/volumes/{volume_id}"
    assert wait_for(lambda: cloud.get(path)["volume"]["status"] == "available")
    assert cloud.send("DELETE", path).status_code == 202
    assert wait_for(lambda: cloud.send("GET", path).status_code == 404)
    hosts_there = cloud.app.regions[0].hosts
    [host_id] = hosts_there.hosts()
    call = {"spec": {"disk_id": volume_id, "size_gib": 1}}
    hosts_there.perform(host_id, "storage.create_disk", call, 5.0)

    def is_there() -> bool:
        return bool(hosts_there.query(host_id, "storage.list_disks", {}, 5.0))

    assert is_there()
    assert wait_for(lambda: not is_there(), 10)


def test_settings_reach_the_region(cloud: Cloud) -> None:
    assert [one.region.largest_image for one in cloud.app.regions] == [3 << 30] * 2


def test_metrics_are_for_whoever_reaches_the_port(cloud: Cloud) -> None:
    cloud.get("/kr1/image/v2/images")
    answer = cloud.send("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    line = 'hanok_requests_total{method="GET",route="/v2/images",service="image",status="200"}'
    assert line in answer.text
    assert cloud.token not in answer.text


def test_a_project_that_owns_something_in_any_region_stays(cloud: Cloud) -> None:
    accounts = cloud.app.identity.accounts
    project = accounts.create_project("owner").id
    store = cloud.app.regions[1].store
    with store.write() as tx:
        volumes.add(tx, a_volume(77, project_id=project))
    with pytest.raises(Conflict, match="still owns servers or volumes"):
        accounts.delete_project(project)
    with store.write() as tx:
        volumes.remove(tx, a_volume(77).id)
    accounts.delete_project(project)


def test_only_the_owner_reads_what_is_kept_and_qemu_passes_to_its_disks(cloud: Cloud) -> None:
    state = cloud.app.state.path
    modes = {
        "": 0o700,
        "identity.db": 0o600,
        "key": 0o600,
        "regions/kr1": 0o711,
        "regions/kr1/region.db": 0o600,
        "regions/kr1/images": 0o711,
    }
    assert {name: stat.S_IMODE((state / name).stat().st_mode) for name in modes} == modes


# -- the state directory ---------------------------------------------------------------------------


def test_one_process_has_the_directory_and_a_refusal_holds_nothing_of_it(cloud: Cloud) -> None:
    lock = cloud.app.state.path / "lock"

    def opened() -> int:
        links = Path("/proc/self/fd").iterdir()
        return sum(link.is_symlink() and link.readlink() == lock for link in links)

    for _ in range(3):
        with pytest.raises(StateDirectoryInUse, match="Another hanok works on"):
            StateDirectory(cloud.app.state.path)
    assert opened() == 1


def test_identity_alone_works_beside_a_running_process(cloud: Cloud) -> None:
    alone = IdentityAlone(cloud.app.config)
    try:
        found = alone.identity.accounts.projects(name="demo")
        assert [one.id for one in found] == [cloud.project]
    finally:
        alone.close()


def test_identity_alone_makes_nothing(tmp_path: Path) -> None:
    config = Config(state=tmp_path)
    with pytest.raises(HanokError, match="holds no region yet"):
        IdentityAlone(config)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "identity.db").touch()
    with pytest.raises(HanokError, match="another release"):
        IdentityAlone(config)


# -- a host that cannot join -----------------------------------------------------------------------


def test_a_host_that_cannot_join_is_down_and_the_api_answers_all_the_same(tmp_path: Path) -> None:
    said: list[str] = []
    config = Config(driver="simulated", state=tmp_path / "state", simulated={"vcpu": 1})
    app = App(config, OWN, said.append)
    project = app.identity.accounts.create_project("demo").id
    app.start((project,))
    try:
        [running] = app.regions

        def state() -> str:
            with running.store.read() as reader:
                [host] = hosts.all_hosts(reader)
            return host.state

        assert wait_for(lambda: state() == "down")
        [line] = [line for line in said if "cannot join" in line]
        assert line.startswith("hanok: the host of KR1 cannot join: ")
        assert "'vcpu'" in line
        one = Cloud(app, project, member_of(app.identity, project))
        assert "servers" in one.get("/kr1/compute/v2/{project}/servers")
    finally:
        app.stop()


def test_a_host_that_cannot_join_at_first_joins_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hanok.app.JOIN_AGAIN", 0.05)

    def watches() -> int:
        return [one.name for one in threading.enumerate()].count("simulated-watch")

    said: list[str] = []
    before = watches()
    app = App(Config(driver="simulated", state=tmp_path / "state"), OWN, said.append)
    world = World(app.state.region("KR1") / "world")
    world.inject(FaultPlan(failures=(FailureRule("compute.facts", message="It is away."),)))
    app.start((app.identity.accounts.create_project("demo").id,))
    try:
        assert wait_for(lambda: any("cannot join: It is away." in line for line in said))
        time.sleep(0.2)
        world.withdraw()
        assert wait_for(lambda: any(" joined: " in line for line in said))
        assert watches() == before + 1, "what could not join is closed"
    finally:
        app.stop()
    assert sum("cannot join" in line for line in said) == 1
