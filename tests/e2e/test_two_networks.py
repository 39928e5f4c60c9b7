"""A server on two networks, one of them by a port of its own address, MAC and groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hanok.drivers.simulated.world import World
from tests.e2e.cloud import Cloud
from tests.e2e.inventory import Need, check_rows, check_simulated
from tests.e2e.region import Region, region

MAC, ADDRESS = "02:00:00:00:88:09", "10.88.0.9"


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


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with region("simulated") as running:
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
        networks = [{"uuid": front["id"]}, {"uuid": back, "port": lent}]
        server = cloud.create("two", "u2.c1m1", networks=networks)
        cloud.wait_status(server, "ACTIVE")
        yield Pair(running, cloud, server, front["id"], back, lent, group)


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


def test_both_ports_are_plugged(pair: Pair) -> None:
    plugged = World(pair.region.folder() / "world").contents()["ports"]
    assert set(plugged) == {port["id"] for port in ports(pair).values()}


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
    check_simulated(pair.region, Need())
