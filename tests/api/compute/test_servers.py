from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from hanok.api._call import Answer
from hanok.model.errors import Conflict, HanokError, Invalid, NotFound
from hanok.operations import create_server
from tests.operations.world import (
    ADMIN,
    ELSEWHERE,
    IMAGE,
    MEMBER,
    PROJECT,
    USER,
    World,
    by,
    endpoint_of,
)

ONE = "/v2/{tenant}/servers/{server}"
ALL = "/v2/{tenant}/servers"
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def get(world: World, path: str, query: str = "", **params: str) -> Any:
    answer: Answer = endpoint_of("GET", path).handler(world.call(query=query, **params))
    assert answer.status == 200
    return answer.body


def show(world: World, server_id: str) -> dict[str, Any]:
    return dict(get(world, ONE, server=server_id)["server"])


def made(world: World, **more: Any) -> str:
    server_id = world.create(**more)
    world.settle()
    return server_id


def test_create_answers_at_once_with_links_and_groups(world: World) -> None:
    answer = endpoint_of("POST", ALL).handler(
        world.call(
            {
                "server": {
                    "name": " web ",
                    "imageRef": IMAGE,
                    "flavorRef": world.flavor(local=True),
                    "networks": [{"subnet": world.subnet()}],
                }
            }
        )
    )
    server = answer.body["server"]
    assert answer.status == 202
    assert set(server) == {"id", "links", "security_groups", "OS-DCF:diskConfig", "adminPass"}
    assert server["security_groups"] == [{"name": "default"}]
    assert re.fullmatch(UUID, server["id"])
    assert [link["rel"] for link in server["links"]] == ["self", "bookmark"]
    assert answer.headers["Location"] == server["links"][0]["href"]
    assert server["links"][0]["href"] == (
        f"http://test/kr1/compute/v2/{PROJECT}/servers/{server['id']}"
    )
    assert server["links"][1]["href"] == f"http://test/kr1/compute/{PROJECT}/servers/{server['id']}"
    assert len(server["adminPass"]) == 12
    assert show(world, server["id"])["name"] == "web"
    world.settle()


def test_get_shows_every_field_of_the_guide(world: World) -> None:
    server = show(world, made(world, metadata={"role": "db"}, availability_zone="kr-pub-b"))
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert server["status"] == "ACTIVE"
    assert re.fullmatch(moment, server["created"])
    assert re.fullmatch(moment, server["updated"])
    assert re.fullmatch(moment[:-1] + r"\.\d{6}", server["OS-SRV-USG:launched_at"])
    assert re.fullmatch(r"[0-9a-f]{56}", server["hostId"])
    [(network, [nic])] = server["addresses"].items()
    assert " " not in network
    assert re.fullmatch(r"fa:16:3e(:[0-9a-f]{2}){3}", nic["OS-EXT-IPS-MAC:mac_addr"])
    assert nic["version"] == 4
    assert nic["addr"].startswith("192.168.0.")
    assert nic["OS-EXT-IPS:type"] == "fixed"
    assert server["image"]["id"] == IMAGE, "volume-booted servers keep their image"
    assert [link["rel"] for link in server["image"]["links"]] == ["bookmark"]
    assert "/v2/" not in server["flavor"]["links"][0]["href"]
    assert server["security_groups"] == [{"name": "default"}]
    assert server["OS-EXT-STS:vm_state"] == "active"
    assert server["OS-EXT-STS:task_state"] is None
    assert server["OS-EXT-STS:power_state"] == 1
    assert server["OS-SRV-USG:terminated_at"] is None
    assert server["OS-EXT-AZ:availability_zone"] == "kr-pub-b"
    assert (server["user_id"], server["tenant_id"]) == (USER, PROJECT)
    [volume] = server["os-extended-volumes:volumes_attached"]
    assert re.fullmatch(UUID, volume["id"])
    assert (server["accessIPv4"], server["accessIPv6"], server["config_drive"]) == ("", "", "")
    assert server["progress"] == 0
    assert server["key_name"] is None
    assert server["metadata"]["role"] == "db"
    assert server["metadata"]["os_type"] == "linux"
    assert server["metadata"]["volume_size"] == "10"
    assert server["metadata"]["image_name"] == "tiny"
    assert server["NHN-EXT-ATTR:ephemeral_disk_size"] == 0


def test_modify_changes_the_name_and_answers_like_get(world: World) -> None:
    server_id = made(world)
    answer = endpoint_of("PUT", ONE).handler(
        world.call({"server": {"name": "renamed"}}, server=server_id)
    )
    assert answer.status == 200
    assert answer.body["server"]["name"] == "renamed"
    assert answer.body["server"].keys() == show(world, server_id).keys()


def test_delete_is_204_then_404_and_may_be_said_twice(world: World) -> None:
    server_id = made(world)
    world.delete(server_id)
    with suppress(NotFound):
        world.delete(server_id)
    world.settle()
    with pytest.raises(NotFound, match=f"Instance {server_id} could not be found."):
        show(world, server_id)
    with pytest.raises(NotFound):
        world.delete(server_id)
    world.assert_nothing_is_left()


def test_a_kept_volume_outlives_its_server(world: World) -> None:
    device = {
        "source_type": "image",
        "uuid": IMAGE,
        "boot_index": "0",
        "volume_size": "12",
        "destination_type": "volume",
    }
    server_id = made(world, imageRef="", block_device_mapping_v2=[device])
    world.delete(server_id)
    world.settle()
    assert world.rows()["volumes"] == 1
    assert world.reality() == {"domains": 0, "disks": 1, "ports": 0, "networks": 0}


def test_several_servers_are_numbered_and_share_a_reservation(world: World) -> None:
    answer = endpoint_of("POST", ALL).handler(
        world.call(
            {
                "server": {
                    "name": "many",
                    "imageRef": IMAGE,
                    "flavorRef": world.flavor(local=True),
                    "min_count": "2",
                    "max_count": 3,
                    "return_reservation_id": "True",
                }
            }
        )
    )
    reservation = answer.body["reservation_id"]
    assert re.fullmatch(r"r-[0-9a-z]{8}", reservation)
    world.settle()
    listed = get(world, ALL, f"reservation_id={reservation}")["servers"]
    assert sorted(server["name"] for server in listed) == ["many-1", "many-2", "many-3"]
    assert set(listed[0]) == {"id", "links", "name"}


@pytest.mark.parametrize("given", [{}, {"adminPass": "given"}])
def test_several_servers_share_the_password_that_is_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    told: list[dict[str, str]] = []
    submit = create_server.submit

    def listen(tx: Any, engine: Any, intent: Any, secrets: Any) -> Any:
        told.append(secrets)
        return submit(tx, engine, intent, secrets)

    monkeypatch.setattr(create_server, "submit", listen)
    wanted = {"name": "many", "imageRef": IMAGE, "flavorRef": world.flavor(local=True)}
    body = {"server": {**wanted, **given, "max_count": 3}}
    answered = endpoint_of("POST", ALL).handler(world.call(body)).body["server"]["adminPass"]
    assert [secrets["admin_pass"] for secrets in told] == [answered] * 3
    assert answered == given.get("adminPass", answered)
    assert len({secrets["random_seed"] for secrets in told}) == 3, "chance is each one's own"


def test_lists_filter_and_page(world: World) -> None:
    ids = [made(world, local=True, name=f"web-{n}") for n in range(3)]
    newest_first = ids[::-1]

    def listed(query: str, path: str = ALL) -> list[str]:
        return [server["id"] for server in get(world, path, query)["servers"]]

    assert listed("") == newest_first
    assert listed("", f"{ALL}/detail") == newest_first
    assert listed("limit=2") == newest_first[:2]
    assert listed(f"limit=2&marker={newest_first[1]}") == newest_first[2:]
    assert listed("name=web-[12]") == newest_first[:2]
    assert listed("name=web&limit=1") == newest_first[:1]
    assert listed("status=ACTIVE") == newest_first
    assert listed("status=SHUTOFF") == listed("status=") == []
    assert listed("status=SHUTOFF&status=active") == newest_first, "any of them"
    assert listed("status=NONSENSE") == []
    assert listed(f"image={IMAGE}") == newest_first
    assert listed("image=other") == []
    assert listed(f"flavor={world.flavor(local=True)}") == newest_first
    assert listed("unknown=1&deleted=False&sort_key=x") == newest_first
    page = get(world, f"{ALL}/detail", "limit=2")
    [link] = page["servers_links"]
    assert link["rel"] == "next"
    assert f"marker={newest_first[1]}" in link["href"]
    assert "servers_links" not in get(world, ALL, "limit=3")
    for path in (ALL, f"{ALL}/detail"):
        empty = get(world, path, "limit=0")
        assert (list(empty), len(empty["servers"])) == (["servers"], 0), "and no next page"


def test_changes_since_shows_deleted_servers(world: World) -> None:
    kept, gone = made(world, local=True), made(world, local=True)
    world.delete(gone)
    world.settle()
    everything = get(world, f"{ALL}/detail", "changes-since=2000-01-01T00:00:00")["servers"]
    assert {server["id"]: server["status"] for server in everything} == {
        kept: "ACTIVE",
        gone: "DELETED",
    }
    deleted = next(server for server in everything if server["id"] == gone)
    assert deleted["OS-SRV-USG:terminated_at"].endswith("Z")
    assert get(world, ALL, "changes-since=2999-01-01T00:00:00Z")["servers"] == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=x",
        "marker=00000000-0000-0000-0000-000000000000",
        "name=(",
        "name=" + "a" * 256,
        "changes-since=yesterday",
        "name=%00",
    ],
)
def test_bad_filters_are_a_400(world: World, query: str) -> None:
    with pytest.raises(Invalid):
        get(world, ALL, query)


def test_a_regular_expression_takes_linear_time(world: World) -> None:
    made(world, local=True, name="a" * 200)
    assert get(world, ALL, "name=(a%2B)%2B%24x")["servers"] == []


def test_the_root_disk_of_a_u2_server_is_its_own(world: World) -> None:
    server = show(world, made(world, local=True))
    assert server["os-extended-volumes:volumes_attached"] == []


def test_no_host_fits_is_an_error_of_the_server_not_of_the_request(world: World) -> None:
    with world.store.write() as tx:
        from hanok.store import hosts
        from tests.operations.world import HOST

        hosts.set_state(tx, HOST, "down", 1)
    server = show(world, made(world))
    assert server["status"] == "ERROR"
    assert server["fault"]["code"] == 500
    assert "up dropped 1" in server["fault"]["message"]
    assert set(server["fault"]) == {"code", "created", "message"}
    world.assert_nothing_is_left()


def test_another_project_s_server_is_not_there(world: World) -> None:
    with pytest.raises(HanokError):
        show(world, "11111111-2222-3333-4444-555555555555")


def test_a_locked_server_is_not_deleted_and_keeps_its_metadata(world: World) -> None:
    server_id = made(world, local=True)
    world.act(server_id, "lock")
    body = {"metadata": {"a": "b"}}
    for method, path in (("DELETE", ONE), ("POST", f"{ONE}/metadata")):
        endpoint = endpoint_of(method, path)
        with pytest.raises(Conflict) as caught:
            endpoint.handler(world.call(body, server=server_id))
        assert caught.value.message == f"Instance {server_id} is locked"
    renamed = endpoint_of("PUT", ONE).handler(
        world.call({"server": {"name": "new"}}, server=server_id)
    )
    assert renamed.body["server"]["name"] == "new", "a name is not kept (Nova)"
    answer = endpoint_of("DELETE", ONE).handler(by(ADMIN, world.call(server=server_id)))
    assert answer.status == 204
    world.settle()
    world.assert_nothing_is_left()


def test_an_administrator_finds_the_servers_of_every_project(world: World) -> None:
    server_id = made(world, local=True)
    for caller, found in ((ADMIN, True), (MEMBER, False)):
        call = by(replace(caller, project_id=ELSEWHERE), world.call(server=server_id))
        if found:
            shown = endpoint_of("GET", ONE).handler(call).body["server"]
            assert (shown["id"], shown["tenant_id"]) == (server_id, PROJECT)
        else:
            with pytest.raises(NotFound):
                endpoint_of("GET", ONE).handler(call)


def fails(world: World, **rule: Any) -> dict[str, Any]:
    """Create a server while a call to the host fails; return it as its tenant sees it."""
    (world.folder / "world" / "faults.json").write_text(json.dumps({"failures": [rule]}))
    shown = show(world, made(world, local=True))
    assert (shown["status"], shown["fault"]["code"]) == ("ERROR", 500)
    return shown


def test_fault_56_only_an_administrator_sees_what_the_host_said(world: World) -> None:
    """The message is the driver's sentence and the step; its name and paths are details."""
    server = fails(world, verb="compute.start", permanent=True, message="It did not start.")
    assert server["fault"].keys() == {"code", "created", "message"}
    assert server["fault"]["message"] == "It did not start. Failed step: start the domain."
    call = by(ADMIN, world.call(server=server["id"]))
    one = endpoint_of("GET", ONE).handler(call).body["server"]
    [listed] = endpoint_of("GET", f"{ALL}/detail").handler(call).body["servers"]
    for whole in (one, listed):
        assert whole["fault"]["message"] == server["fault"]["message"]
        assert whole["fault"]["details"].startswith("start: injected: compute.start")
    [listed] = get(world, f"{ALL}/detail")["servers"]
    assert "details" not in listed["fault"]


def test_fault_56_a_bug_s_words_are_not_for_tenants(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: object, server_id: str) -> None:
        raise RuntimeError(f"no such file: /srv/hanok/{server_id}")

    monkeypatch.setattr(type(world.drivers.compute), "start", broken)
    shown = show(world, made(world, local=True))
    assert shown["status"] == "ERROR"
    assert "/" not in json.dumps(shown["fault"]["message"])
    assert "RuntimeError" not in json.dumps(shown["fault"])
    call = by(ADMIN, world.call(server=shown["id"]))
    whole = endpoint_of("GET", ONE).handler(call).body["server"]["fault"]
    assert "/srv/hanok/" in whole["details"]
