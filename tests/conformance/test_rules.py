"""The rules that the guide's prose and tables state for "Create Instance" and "Delete Instance"."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hanok.api.network.service import service as network_service
from hanok.model.errors import HanokError, Invalid, QuotaExceeded
from hanok.model.lifecycle import ANY_STATE
from hanok.model.server import TaskState, VmState
from hanok.store import images, quotas, servers, volumes
from hanok.store.region_tables import subnets
from tests.operations.world import IMAGE, PROJECT, World, endpoint_of
from tests.region_store import a_server, an_image, uuid

ALL, ONE = "/v2/{tenant}/servers", "/v2/{tenant}/servers/{server}"
WINDOWS = uuid(7)
ROOT = {
    "source_type": "image",
    "uuid": IMAGE,
    "boot_index": 0,
    "volume_size": 10,
    "destination_type": "volume",
}


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    one = World(database_url, tmp_path).open().start()
    yield one
    one.close()


def post(world: World, **more: Any) -> Any:
    """Ask for a server on a volume of 10 GB; return what is answered."""
    server = {
        "name": "web",
        "imageRef": IMAGE,
        "flavorRef": world.flavor(local=False, number=1),
        "block_device_mapping_v2": [ROOT],
        **more,
    }
    return endpoint_of("POST", ALL).handler(world.call({"server": server})).body


def u2(world: World) -> dict[str, Any]:
    """What a server on a local disk needs: no block storage."""
    return {"flavorRef": world.flavor(local=True), "block_device_mapping_v2": []}


def made(world: World, **more: Any) -> dict[str, Any]:
    """Make a server and return how it looks."""
    server_id = post(world, **more)["server"]["id"]
    world.settle()
    return show(world, server_id)


def show(world: World, server_id: str) -> dict[str, Any]:
    answer = endpoint_of("GET", ONE).handler(world.call(server=server_id))
    found: dict[str, Any] = answer.body["server"]
    assert found["status"] == "ACTIVE", found
    return found


def of_reservation(world: World, reservation: str) -> list[str]:
    """The names of the servers that were made together."""
    call = world.call(query=f"reservation_id={reservation}")
    return sorted(one["name"] for one in endpoint_of("GET", ALL).handler(call).body["servers"])


def network(world: World, method: str, path: str, body: object) -> Any:
    """Ask the network service; return the one object that it answers with."""
    for endpoint in network_service().endpoints:
        if (endpoint.method, endpoint.path) == (method, path):
            [answered] = endpoint.handler(world.call(body)).body.values()
            return answered
    raise KeyError(path)


# -- Windows, Linux, U2 --------------------------------------------------------------------------


@pytest.fixture
def windows(world: World) -> World:
    with world.store.write() as tx:
        images.add(tx, an_image(7, properties={"os_type": "Windows"}, virtual_bytes=1))
    return world


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"small": True}, "at least 2048 MB of RAM"),
        ({"size": 49}, "at least 50 GB"),
        ({"name": "w" * 16}, "at most 15 characters"),
        ({"local": True}, "cannot be used with U2 flavors"),
    ],
)
def test_windows_needs_2_gb_of_ram_50_gb_a_short_name_and_no_u2(
    windows: World, more: dict[str, Any], text: str
) -> None:
    flavor = windows.flavor(local="local" in more, number=0 if more.keys() & {"small"} else 1)
    device = {**ROOT, "uuid": WINDOWS, "volume_size": more.get("size", 50)}
    with pytest.raises(Invalid) as caught:
        post(
            windows,
            name=more.get("name", "w" * 15),
            imageRef=WINDOWS,
            flavorRef=flavor,
            block_device_mapping_v2=[] if "local" in more else [device],
        )
    assert text in caught.value.message


def test_windows_with_just_enough_is_accepted(windows: World) -> None:
    device = {**ROOT, "uuid": WINDOWS, "volume_size": 50}
    accepted = post(windows, name="w" * 15, imageRef=WINDOWS, block_device_mapping_v2=[device])
    assert accepted["server"]["id"]


def test_a_u2_server_ignores_the_size_that_is_asked_for(world: World) -> None:
    device = {**ROOT, "destination_type": "local", "volume_size": 777}
    server = made(world, flavorRef=world.flavor(local=True), block_device_mapping_v2=[device])
    assert server["os-extended-volumes:volumes_attached"] == []
    with world.store.read() as reader:
        [disk] = servers.local_disks_of(reader, server["id"])
    assert disk.size_gib == 20, "the flavor's"


# -- lengths -------------------------------------------------------------------------------------


def test_255_characters_and_65_535_bytes_fit(world: World) -> None:
    metadata = {"k" * 255: "v" * 255}
    script = base64.b64encode(b"#" * 49_149).decode()
    server = made(
        world, name="n" * 255, metadata=metadata, user_data=f"{script}\n\n\n", **u2(world)
    )
    assert len(script) + 3 == 65_535
    assert server["name"] == "n" * 255
    assert server["metadata"].items() >= metadata.items()


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"name": "n" * 256}, "name"),
        ({"name": "n" * 254, "max_count": 2}, "more than 255 characters"),
        ({"metadata": {"k" * 256: ""}}, "255"),
        ({"metadata": {"k": "v" * 256}}, "255"),
        ({"user_data": "A" * 65_536}, "at most 65535"),
        ({"key_name": "k" * 256}, "key_name"),
        ({"availability_zone": "z" * 256}, "availability_zone"),
    ],
)
def test_one_more_does_not(world: World, more: dict[str, Any], text: str) -> None:
    with pytest.raises(Invalid, match=text):
        post(world, **more)
    world.assert_nothing_is_left()


# -- several at once -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "names"),
    [
        ({}, ["web"]),
        ({"min_count": 1, "max_count": 1}, ["web"]),
        ({"min_count": 2}, ["web-1", "web-2"]),
        ({"max_count": 3}, ["web-1", "web-2", "web-3"]),
        ({"min_count": 1, "max_count": 5}, ["web-1", "web-2", "web-3", "web-4"]),
        ({"min_count": "4", "max_count": "10"}, ["web-1", "web-2", "web-3", "web-4"]),
    ],
)
def test_as_many_are_made_as_the_quota_allows_but_at_least_min_count(
    world: World, counts: dict[str, Any], names: list[str]
) -> None:
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"instances": 4})
    asked = {**u2(world), **counts, "return_reservation_id": True}
    reservation = post(world, **asked)["reservation_id"]
    world.settle()
    assert of_reservation(world, reservation) == names
    assert world.reality()["domains"] == len(names)


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"instances": 4}, "Quota exceeded for instances: Requested 5, but already used 0 of 4"),
        ({"cores": 4}, "Quota exceeded for cores"),
        ({"ram_mib": 4096}, "Quota exceeded for ram"),
    ],
)
def test_fewer_than_min_count_are_none_at_all(
    world: World, limits: dict[str, int], text: str
) -> None:
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, limits)
    with pytest.raises(QuotaExceeded, match=text):
        post(world, **u2(world), min_count=5, max_count=6)
    world.assert_nothing_is_left()
    with world.store.read() as reader:
        assert quotas.usage_of(reader, PROJECT).instances == 0


@pytest.mark.parametrize("yes", [True, "true", "True", 1, "1", "on", "yes"])
def test_a_reservation_s_id_takes_the_place_of_the_server(world: World, yes: object) -> None:
    assert list(post(world, **u2(world), return_reservation_id=yes)) == ["reservation_id"]
    world.settle()


@pytest.mark.parametrize("no", [False, "false", 0, "0", "off", None])
def test_without_it_the_first_server_is_answered(world: World, no: object) -> None:
    answered = post(world, **u2(world), return_reservation_id=no, max_count=2)
    assert list(answered) == ["server"]
    world.settle()
    assert show(world, answered["server"]["id"])["name"] == "web-1"


# -- zones, networks, groups, block storage ------------------------------------------------------


def test_a_blank_zone_is_a_random_one_and_the_disk_is_in_it_too(world: World) -> None:
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"instances": -1, "cores": -1, "ram_mib": -1})
    seen: set[str] = set()
    for _ in range(30):  # each has the same chance: one of 2^29 runs sees a single zone
        server = made(world, availability_zone="")
        [volume] = server["os-extended-volumes:volumes_attached"]
        zone = server["OS-EXT-AZ:availability_zone"]
        with world.store.read() as reader:
            disk = volumes.find(reader, volume["id"])
        assert disk is not None
        assert disk.availability_zone == zone
        seen.add(zone)
        if len(seen) == 2:
            break
    assert seen == {"kr-pub-a", "kr-pub-b"}


def test_four_ways_to_name_a_network_each_give_an_interface(world: World) -> None:
    subnet = world.subnet()
    port = network(world, "POST", "/v2.0/ports", {"port": {"network_id": _network(world)}})
    server = made(
        world,
        networks=[
            {"uuid": _network(world)},
            {"subnet": subnet},
            {"port": port["id"], "uuid": _network(world)},
            {"fixed_ip": "192.168.0.77"},
        ],
        **u2(world),
    )
    [interfaces] = server["addresses"].values()
    given = [one["addr"] for one in interfaces]
    assert len(set(given)) == 4
    assert given[2:] == [port["fixed_ips"][0]["ip_address"], "192.168.0.77"]
    assert len({one["OS-EXT-IPS-MAC:mac_addr"] for one in interfaces}) == 4
    assert interfaces[2]["OS-EXT-IPS-MAC:mac_addr"] == port["mac_address"]


def _network(world: World) -> str:
    with world.store.read() as reader:
        return str(reader.scalar(select(subnets.c.network_id)))


def test_a_port_keeps_its_own_groups(world: World) -> None:
    path = "/v2.0/security-groups"
    group = network(world, "POST", path, {"security_group": {"name": "own"}})
    network(world, "POST", path, {"security_group": {"name": "wanted"}})
    wanted = {"network_id": _network(world), "security_groups": [group["id"]]}
    port = network(world, "POST", "/v2.0/ports", {"port": wanted})
    names = {"security_groups": [{"name": "wanted"}]}
    alone = made(world, networks=[{"port": port["id"]}], **names, **u2(world))
    assert alone["security_groups"] == [{"name": "own"}]
    other = made(world, networks=[{"subnet": world.subnet()}], **names, **u2(world))
    assert other["security_groups"] == [{"name": "wanted"}]
    default = made(world, security_groups=[], **u2(world))
    assert default["security_groups"] == [{"name": "default"}]


@pytest.mark.parametrize(("flag", "kept"), [({}, 3), ({"delete_on_termination": 1}, 0)])
def test_block_storage_outlives_its_server_unless_said_otherwise(
    world: World, flag: dict[str, Any], kept: int
) -> None:
    blank = {"source_type": "blank", "destination_type": "volume", "volume_size": 1}
    copy = {**ROOT, "boot_index": 1}
    server = made(world, block_device_mapping_v2=[{**one, **flag} for one in (ROOT, blank, copy)])
    assert len(server["os-extended-volumes:volumes_attached"]) == 3
    world.delete(server["id"])
    world.settle()
    assert (world.rows()["volumes"], world.reality()["disks"]) == (kept, kept)


# -- delete --------------------------------------------------------------------------------------


def test_a_server_is_deleted_in_every_state_and_during_every_task(world: World) -> None:
    states = [(state, None) for state in sorted(ANY_STATE)]
    tasks = [(VmState.ACTIVE, task) for task in sorted(TaskState)]
    with world.store.write() as tx:
        for number, (state, task) in enumerate([*states, *tasks], start=1):
            server = a_server(
                number, project_id=PROJECT, vm_state=state, task_state=task, flavor_id="none"
            )
            servers.add(tx, server)
    for number, what in enumerate([*states, *tasks], start=1):
        try:
            world.delete(uuid(number))
        except HanokError as error:
            raise AssertionError(f"{what}: {error.message}") from error
    world.settle()
    with world.store.read() as reader:
        assert quotas.usage_of(reader, PROJECT).instances == 0
    gone = endpoint_of("GET", ALL).handler(world.call(query="changes-since=1970-01-01T00:00:00"))
    assert len(gone.body["servers"]) == len(states) + len(tasks)
