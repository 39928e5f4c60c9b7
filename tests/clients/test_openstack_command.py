"""The `openstack` command against a region: what its users do first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.command import Command
from tests.clients.environment import by_clouds_yaml, by_openrc, by_v2password, program
from tests.e2e.inventory import Need, check_rows, check_simulated, need
from tests.e2e.region import Region, region

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def running() -> Iterator[Region]:
    with region("simulated") as found:
        yield found


@pytest.fixture(
    scope="module",
    params=[by_v2password, by_openrc, by_clouds_yaml],
    ids=["v2password", "openrc", "clouds.yaml"],
)
def openstack(request: pytest.FixtureRequest, running: Region) -> Command:
    log_in: Callable[[Region], dict[str, str]] = request.param
    return Command(program("openstack"), log_in(running))


def test_what_there_is(openstack: Command) -> None:
    token = openstack.read("token", "issue")
    assert len(token["id"]) >= 32
    assert token["project_id"]
    names = [flavor["Name"] for flavor in openstack.read("flavor", "list")]
    assert {"m2.c1m2", "u2.c1m1"} <= set(names)
    assert openstack.read("flavor", "show", "m2.c1m2")["disk"] == 0
    assert [one["Name"] for one in openstack.read("image", "list")] == ["hanok-tiny"]
    assert openstack.read("image", "show", "hanok-tiny")["status"] == "active"
    (network,) = openstack.read("network", "list")
    assert network["Name"] == "Default-Network"
    zones = openstack.read("availability", "zone", "list", "--compute")
    assert {zone["Zone Name"] for zone in zones} == {"kr-pub-a", "kr-pub-b"}
    limits = {one["Name"]: one["Value"] for one in openstack.read("limits", "show", "--absolute")}
    assert limits["total_instances_used"] == 0
    assert limits["max_total_cores"] > 0
    types = {one["Name"] for one in openstack.read("volume", "type", "list")}
    assert types == {"General SSD", "General HDD"}


def test_quotas_and_extensions(openstack: Command) -> None:
    shown = {one["Resource"]: one["Limit"] for one in openstack.read("quota", "show")}
    assert (shown["cores"], shown["networks"], shown["ports"]) == (20, 100, 500)
    used = {one["Resource"]: one for one in openstack.read("quota", "show", "--usage")}
    assert (used["networks"]["In Use"], used["security_groups"]["In Use"]) == (1, 1)
    assert openstack.read("quota", "show", "--default")
    aliases = {one["Alias"] for one in openstack.read("extension", "list", "--network")}
    assert {"quotas", "security-group"} <= aliases


def test_networks_groups_and_ports(openstack: Command) -> None:
    made = openstack.read("network", "create", "back")
    ranged = ("--network", "back", "--subnet-range", "10.7.0.0/24")
    subnet = openstack.read("subnet", "create", *ranged, "--gateway", "10.7.0.254", "back-one")
    assert (subnet["gateway_ip"], subnet["network_id"]) == ("10.7.0.254", made["id"])
    group = openstack.read("security", "group", "create", "web")
    fixed = ("--fixed-ip", "subnet=back-one,ip-address=10.7.0.9")
    port = openstack.read(
        *("port", "create", "--network", "back", *fixed, "--security-group", "web", "inner")
    )
    assert port["security_group_ids"] == [group["id"]]
    listed = openstack.read("port", "list", *fixed)
    assert [one["Name"] for one in listed] == ["inner"]
    assert openstack.read("port", "list", "--network", "Default-Network") == []
    in_use = openstack.refused("security", "group", "delete", "web")
    assert "in use" in in_use
    assert "in use" in openstack.refused("network", "delete", "back")
    openstack.run("port", "set", "--name", "renamed", "inner")
    openstack.run("port", "delete", "renamed")
    openstack.run("security", "group", "delete", "web")
    openstack.run("network", "delete", "back")
    assert [one["Name"] for one in openstack.read("network", "list")] == ["Default-Network"]


def test_a_rule_in_the_default_group(openstack: Command) -> None:
    ssh = ("--ingress", "--protocol", "tcp", "--dst-port", "22", "--remote-ip", "192.168.0.0/24")
    rule = openstack.read("security", "group", "rule", "create", *ssh, "default")
    assert (rule["port_range_min"], rule["protocol"]) == (22, "tcp")
    listed = openstack.read("security", "group", "rule", "list", "default")
    assert rule["id"] in {one["ID"] for one in listed}
    openstack.run("security", "group", "rule", "delete", rule["id"])


def check_nothing_is_left(running: Region) -> None:
    cloud = running.cloud()
    cloud.settle()
    assert need(cloud) == Need()
    check_simulated(running, Need())
    check_rows(running, Need())


def test_servers_on_a_local_disk_and_on_a_volume(
    openstack: Command, running: Region, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    openstack.run("keypair", "create", "mine", "--private-key", str(key))
    assert "PRIVATE KEY" in key.read_text()
    assert [one["Name"] for one in openstack.read("keypair", "list")] == ["mine"]
    usual = ("--image", "hanok-tiny", "--network", "Default-Network", "--key-name", "mine")
    create = ("server", "create", *usual, "--wait")
    local = openstack.read(*create, "--flavor", "u2.c1m1", "local")
    assert (local["status"], local["key_name"]) == ("ACTIVE", "mine")
    volume = ("--flavor", "m2.c1m2", "--boot-from-volume", "10")
    on_volume = openstack.read(*create, *volume, "on-volume")
    assert on_volume["status"] == "ACTIVE"
    assert "zero disk" in openstack.refused(*create, "--flavor", "m2.c1m2", "no-disk")

    listed = {one["Name"]: one for one in openstack.read("server", "list")}
    assert set(listed) == {"local", "on-volume"}
    assert {one["Status"] for one in listed.values()} == {"ACTIVE"}
    assert listed["local"]["Flavor"] == "u2.c1m1"
    assert list(listed["local"]["Networks"]) == ["Default-Network"]
    shown = openstack.read("server", "show", "on-volume")
    (attached,) = shown["volumes_attached"]
    (root,) = openstack.read("volume", "list")
    assert (root["ID"], root["Status"], root["Size"]) == (attached["id"], "in-use", 10)
    assert "login:" in openstack.run("console", "log", "show", "local")

    openstack.run("server", "stop", "local")
    openstack.run("server", "set", "--name", "renamed", "on-volume")
    assert openstack.read("server", "show", "renamed")["id"] == on_volume["id"]
    openstack.run("server", "delete", "--wait", "local", "renamed")
    assert openstack.read("server", "list") == []
    # The command asks for a volume that stays.
    (left,) = openstack.read("volume", "list")
    assert left["Status"] == "available"
    openstack.run("volume", "delete", left["ID"])
    openstack.run("keypair", "delete", "mine")
    check_nothing_is_left(running)


def test_an_image_of_one_s_own(openstack: Command, tmp_path: Path) -> None:
    file, saved = tmp_path / "disk.raw", tmp_path / "saved.raw"
    file.write_bytes(bytes(range(256)) * 8192)
    formats = ("--disk-format", "raw", "--container-format", "bare", "--file", str(file))
    said = ("--property", "os_type=linux", "--tag", "lts", "--min-disk", "1")
    made = openstack.read("image", "create", *formats, *said, "mine")
    assert (made["status"], made["size"], made["tags"]) == ("active", 2 << 20, ["lts"])
    openstack.run("image", "save", "--file", str(saved), "mine")
    assert saved.read_bytes() == file.read_bytes()

    changes = ("--property", "os_type=windows", "--property", "login_username=Administrator")
    openstack.run("image", "set", *changes, "--tag", "new", "--name", "renamed", "mine")
    openstack.run("image", "unset", "--tag", "lts", "renamed")
    shown = openstack.read("image", "show", "renamed")
    assert (shown["id"], shown["tags"]) == (made["id"], ["new"])
    assert shown["properties"]["os_type"] == "windows"
    assert shown["properties"]["login_username"] == "Administrator"

    assert "You are not permitted to publish" in openstack.refused(
        "image", "set", "--public", "renamed"
    )
    openstack.run("image", "set", "--protected", "renamed")
    assert "is protected" in openstack.refused("image", "delete", "renamed")
    openstack.run("image", "set", "--unprotected", "renamed")
    openstack.run("image", "delete", "renamed")
    wrong = (*formats[2:], "--disk-format", "qcow2", "wrong")
    assert "declared qcow2" in openstack.refused("image", "create", *wrong)
    # The command takes back what it could not upload.
    assert [one["Name"] for one in openstack.read("image", "list")] == ["hanok-tiny"]


def test_what_is_not_there_is_said(openstack: Command) -> None:
    assert "No Server found for nothing" in openstack.refused("server", "show", "nothing")
    assert "nothing" in openstack.refused("flavor", "show", "nothing")
