"""A server on two networks, one of them by a port of its own address, MAC and groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hanok.drivers.libvirt.names import Names
from hanok.drivers.simulated.world import World
from tests.boots import count_guest_boot
from tests.e2e.cloud import Cloud
from tests.e2e.inventory import Need, check_real, check_rows, check_simulated
from tests.e2e.region import Region, region
from tests.e2e.shell import Shell

MAC, ADDRESS = "02:00:00:00:88:09", "10.88.0.9"


REAL = [pytest.mark.guest, pytest.mark.slow]


@dataclass(frozen=True, slots=True)
class Pair:
    """A running server on the project's first network and on `back`."""

    region: Region
    cloud: Cloud
    server: str
    front: str
    back: str
    lent: str
    group: str
    key: Path


@pytest.fixture(scope="module", params=["simulated", pytest.param("libvirt", marks=REAL)])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    with region(request.param) as running:
        cloud = running.cloud()
        [front] = cloud.get("network", "/v2.0/networks")["networks"]
        back = make(cloud, "network", name="back")["id"]
        make(cloud, "subnet", network_id=back, cidr="10.88.0.0/24", ip_version=4)
        group = make(cloud, "security_group", name="inner")["id"]
        lent = make(
            cloud,
            "port",
            network_id=back,
            mac_address=MAC,
            fixed_ips=[{"ip_address": ADDRESS}],
            security_groups=[group],
        )["id"]
        key = tmp_path_factory.mktemp("keys") / "made"
        made = cloud.call("POST", "compute", "/os-keypairs", {"keypair": {"name": "made"}})
        key.touch(mode=0o600)
        key.write_text(made["keypair"]["private_key"])
        networks = [{"uuid": front["id"]}, {"uuid": back, "port": lent}]
        server = cloud.create("two", "u2.c1m1", networks=networks, key_name="made")
        if running.driver == "libvirt":
            count_guest_boot(f"a server on two networks: {server}")
        cloud.wait_status(server, "ACTIVE")
        yield Pair(running, cloud, server, front["id"], back, lent, group, key)


def make(cloud: Cloud, kind: str, **values: Any) -> dict[str, Any]:
    path = f"/v2.0/{kind.replace('_', '-')}s"
    made: dict[str, Any] = cloud.call("POST", "network", path, {kind: values}, status=201)[kind]
    return made


def ports(pair: Pair) -> dict[str, dict[str, Any]]:
    """The server's ports by their networks."""
    listed = pair.cloud.get("network", f"/v2.0/ports?device_id={pair.server}")["ports"]
    return {port["network_id"]: port for port in listed}


def test_both_addresses_are_shown_and_each_port_has_its_own_groups(pair: Pair) -> None:
    shown = pair.cloud.server(pair.server)["addresses"]
    [lent] = shown["back"]
    assert (lent["addr"], lent["OS-EXT-IPS-MAC:mac_addr"]) == (ADDRESS, MAC)
    known = ports(pair)
    assert set(known) == {pair.front, pair.back}
    assert known[pair.back]["id"] == pair.lent
    assert known[pair.back]["security_groups"] == [pair.group]
    groups = pair.cloud.get("network", "/v2.0/security-groups?name=default")["security_groups"]
    assert known[pair.front]["security_groups"] == [groups[0]["id"]]
    assert {port["status"] for port in known.values()} == {"ACTIVE"}


def test_what_the_server_uses_stays(pair: Pair) -> None:
    subnet = ports(pair)[pair.back]["fixed_ips"][0]["subnet_id"]
    for path, kind in (
        (f"ports/{pair.lent}", "PortInUse"),
        (f"subnets/{subnet}", "SubnetInUse"),
        (f"networks/{pair.back}", "NetworkInUse"),
        (f"vpcs/{pair.back}", "NetworkInUse"),
        (f"security-groups/{pair.group}", "SecurityGroupInUse"),
    ):
        answer = pair.cloud.request("DELETE", "network", f"/v2.0/{path}")
        assert (answer.status_code, answer.json()["NeutronError"]["type"]) == (409, kind)


def test_the_guest_has_two_interfaces_with_these_addresses(pair: Pair) -> None:
    if pair.region.driver == "simulated":
        plugged = World(pair.region.folder() / "world").contents()["ports"]
        assert set(plugged) == {port["id"] for port in ports(pair).values()}
        return
    known = ports(pair)
    names = Names(pair.region.deployment().id)
    wanted = {
        (port["mac_address"], ip["ip_address"])
        for port in known.values()
        for ip in port["fixed_ips"]
    }
    for network, port in known.items():
        address = port["fixed_ips"][0]["ip_address"]
        shell = Shell(names.namespace(network), address, pair.key)
        assert shell.await_("hostname") == "two"
        lines = [line.split() for line in shell.say("ip -o -4 addr show scope global").splitlines()]
        seen = {
            (shell.say(f"cat /sys/class/net/{words[1]}/address"), words[3].partition("/")[0])
            for words in lines
        }
        assert seen == wanted
        assert {words[3].partition("/")[2] for words in lines} == {"24"}


def test_the_lent_port_outlives_the_server(pair: Pair) -> None:
    pair.cloud.delete(pair.server)
    pair.cloud.wait_gone(pair.server)
    [left] = pair.cloud.get("network", "/v2.0/ports")["ports"]
    assert (left["id"], left["status"], left["device_id"]) == (pair.lent, "DOWN", "")
    assert [ip["ip_address"] for ip in left["fixed_ips"]] == [ADDRESS]
    assert left["security_groups"] == [pair.group]
    for path in (f"ports/{pair.lent}", f"networks/{pair.back}", f"security-groups/{pair.group}"):
        pair.cloud.call("DELETE", "network", f"/v2.0/{path}", status=204)
    check_rows(pair.region, Need())
    check = check_real if pair.region.driver == "libvirt" else check_simulated
    check(pair.region, Need())
