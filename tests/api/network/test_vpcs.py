from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.one_region import OneRegion
from tests.region_store import MINE, OTHER

NOBODY = "00000000-0000-4000-8000-000000000000"


def vpc(network: OneRegion, name: str = "v", cidr: str = "10.0.0.0/8", **more: Any) -> Any:
    return network.call("POST", "/v2.0/vpcs", {"vpc": {"name": name, "cidrv4": cidr, **more}})


def subnet(network: OneRegion, vpc_id: str, cidr: str, name: str = "s") -> Any:
    body = {"vpcsubnet": {"vpc_id": vpc_id, "cidr": cidr, "name": name}}
    return network.call("POST", "/v2.0/vpcsubnets", body)


def test_a_vpc_is_a_network_and_its_subnet_a_subnet(network: OneRegion) -> None:
    made = vpc(network, tenant_id=MINE)
    assert made.status_code == 201
    one = made.json["vpc"]
    assert (one["name"], one["cidrv4"], one["state"]) == ("v", "10.0.0.0/8", "available")
    assert (one["shared"], one["router:external"], one["tenant_id"]) == (False, False, MINE)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", one["create_time"])
    inner = subnet(network, one["id"], "10.3.0.0/16")
    assert inner.status_code == 201
    part = inner.json["vpcsubnet"]
    assert (part["vpc_id"], part["cidr"], part["gateway"]) == (one["id"], "10.3.0.0/16", "10.3.0.1")
    assert (part["enable_dhcp"], part["available_ip_count"]) == (True, 65533)
    assert part["vpc"]["cidrv4"] == "10.0.0.0/8"
    assert network.get(f"/v2.0/vpcsubnets/{part['id']}")["vpcsubnet"] == part
    shown = network.get(f"/v2.0/vpcs/{one['id']}")["vpc"]
    assert shown["subnets"] == [part]
    assert network.get(f"/v2.0/networks/{one['id']}")["network"]["subnets"] == [part["id"]]
    assert network.get(f"/v2.0/subnets/{part['id']}")["subnet"]["network_id"] == one["id"]


def test_networks_are_vpcs_too(network: OneRegion, port: str) -> None:
    [one] = network.get("/v2.0/vpcs?name=Default-Network")["vpcs"]
    assert one["cidrv4"] == "192.168.0.0/24"
    assert network.get("/v2.0/vpcs?router:external=True")["vpcs"] == []
    [part] = network.get(f"/v2.0/vpcsubnets?vpc_id={one['id']}")["vpcsubnets"]
    assert part["available_ip_count"] == 254 - 10 + 1 - 1
    plain = network.call("POST", "/v2.0/networks", {"network": {"name": "plain"}}).json["network"]
    assert network.get(f"/v2.0/vpcs/{plain['id']}")["vpc"]["cidrv4"] is None
    for cidr, whole in (("10.0.0.0/24", "10.0.0.0/24"), ("10.0.3.0/24", "10.0.0.0/22")):
        assert subnet(network, plain["id"], cidr).status_code == 201
        assert network.get(f"/v2.0/vpcs/{plain['id']}")["vpc"]["cidrv4"] == whole


def test_names_and_cidr_change(network: OneRegion) -> None:
    one = vpc(network).json["vpc"]["id"]
    part = subnet(network, one, "10.3.0.0/16").json["vpcsubnet"]["id"]
    changed = network.call(
        "PUT", f"/v2.0/vpcs/{one}", {"vpc": {"name": "w", "cidrv4": "10.0.0.0/12"}}
    )
    assert changed.status_code == 200
    assert (changed.json["vpc"]["name"], changed.json["vpc"]["cidrv4"]) == ("w", "10.0.0.0/12")
    small = network.call("PUT", f"/v2.0/vpcs/{one}", {"vpc": {"cidrv4": "10.0.0.0/16"}})
    assert small.status_code == 400
    assert small.json["NeutronError"]["type"] == "InvalidInput"
    renamed = network.call("PUT", f"/v2.0/vpcsubnets/{part}", {"vpcsubnet": {"name": "t"}})
    assert (renamed.status_code, renamed.json["vpcsubnet"]["name"]) == (200, "t")


def test_what_is_in_use_stays(network: OneRegion) -> None:
    one = vpc(network).json["vpc"]["id"]
    part = subnet(network, one, "10.3.0.0/16").json["vpcsubnet"]["id"]
    port = network.call("POST", "/v2.0/ports", {"port": {"network_id": one}}).json["port"]["id"]
    for path, kind in ((f"vpcs/{one}", "NetworkInUse"), (f"vpcsubnets/{part}", "SubnetInUse")):
        refused = network.call("DELETE", f"/v2.0/{path}")
        assert (refused.status_code, refused.json["NeutronError"]["type"]) == (409, kind)
    assert network.call("DELETE", f"/v2.0/ports/{port}").status_code == 204
    assert network.call("DELETE", f"/v2.0/vpcsubnets/{part}").status_code == 204
    assert network.call("GET", f"/v2.0/vpcsubnets/{part}").status_code == 404
    assert network.call("DELETE", f"/v2.0/vpcs/{one}").status_code == 204
    assert network.call("GET", f"/v2.0/vpcs/{one}").status_code == 404


def test_a_vpc_has_its_default_routing_table(network: OneRegion) -> None:
    one = vpc(network).json["vpc"]
    part = subnet(network, one["id"], "10.3.0.0/16").json["vpcsubnet"]
    [named] = network.get(f"/v2.0/vpcs/{one['id']}")["vpc"]["routingtables"]
    table = network.get(f"/v2.0/routingtables/{named['id']}")["routingtable"]
    assert (table["default_table"], table["vpcs"]) == (True, [one["id"]])
    assert (table["subnets"], table["routes"]) == ([part["id"]], [])
    assert part["routingtable"]["id"] == table["id"]
    [plain] = network.get(f"/v2.0/routingtables?id={table['id']}")["routingtables"]
    assert "vpcs" not in plain
    query = f"id={table['id']}&detail=true"
    [long] = network.get(f"/v2.0/routingtables?{query}")["routingtables"]
    assert long["vpcs"] == [{"id": one["id"], "name": "v"}]
    assert long["subnets"] == [{"id": part["id"], "name": "s"}]


@pytest.mark.parametrize("detail", ["", "&detail=true"])
def test_routing_tables_are_found_by_their_vpc(network: OneRegion, detail: str) -> None:
    one = vpc(network).json["vpc"]["id"]
    known = network.get("/v2.0/routingtables")["routingtables"]
    assert len(known) > 1
    [found] = network.get(f"/v2.0/routingtables?vpc_id={one}{detail}")["routingtables"]
    [named] = network.get(f"/v2.0/vpcs/{one}")["vpc"]["routingtables"]
    assert found["id"] == named["id"]
    assert network.get(f"/v2.0/routingtables?vpc_id={NOBODY}")["routingtables"] == []
    # The guide shows no such field.
    shown = network.get(f"/v2.0/routingtables/{named['id']}?fields=vpc_id&fields=id")
    assert shown["routingtable"] == {"id": named["id"]}
    assert "vpc_id" not in found


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("vpcs", "VpcNotFound"),
        ("vpcsubnets", "VpcSubnetNotFound"),
        ("routingtables", "RoutingTableNotFound"),
    ],
)
def test_what_is_not_there_is_a_404(network: OneRegion, path: str, kind: str) -> None:
    refused = network.call("GET", f"/v2.0/{path}/{NOBODY}")
    assert (refused.status_code, refused.json["NeutronError"]["type"]) == (404, kind)


def test_of_another_project_is_nothing_to_be_seen(network: OneRegion) -> None:
    one = vpc(network).json["vpc"]["id"]
    assert network.get("/v2.0/vpcs", caller="other")["vpcs"] == []
    for method, body in (("GET", None), ("PUT", {"vpc": {"name": "x"}}), ("DELETE", None)):
        answer = network.call(method, f"/v2.0/vpcs/{one}", body, caller="other")
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "v"},
        {"cidrv4": "10.0.0.0/8"},
        {"name": " ", "cidrv4": "10.0.0.0/8"},
        {"name": "v", "cidrv4": "10.0.0.1/8"},
        {"name": "v", "cidrv4": "nonsense"},
        {"name": "v", "cidrv4": 7},
        {"name": "v", "cidrv4": "10.0.0.0/8", "tenant_id": OTHER},
        {"name": "v", "cidrv4": "10.0.0.0/8", "external_network_id": NOBODY},
    ],
)
def test_an_odd_vpc_is_refused(network: OneRegion, body: dict[str, Any]) -> None:
    assert network.call("POST", "/v2.0/vpcs", {"vpc": body}).status_code == 400
    assert len(network.get("/v2.0/vpcs")["vpcs"]) == 1


@pytest.mark.parametrize(
    ("cidr", "status"),
    [("10.3.0.0/16", 201), ("11.0.0.0/16", 400), ("10.0.0.0/4", 400), ("10.0.1.0/25", 400)],
)
def test_a_subnet_lies_within_its_vpc_beside_others(
    network: OneRegion, cidr: str, status: int
) -> None:
    one = vpc(network).json["vpc"]["id"]
    assert subnet(network, one, "10.0.1.0/24").status_code == 201
    assert subnet(network, one, cidr).status_code == status
    assert subnet(network, NOBODY, cidr).status_code in (400, 404)
