from __future__ import annotations

from typing import Any

import pytest

from tests.api.one_region import OneRegion
from tests.region_store import OTHER

ROOT = "/v2.0/subnets"
NOBODY = "00000000-0000-4000-8000-000000000000"


def network_id(network: OneRegion) -> str:
    return str(network.get("/v2.0/networks")["networks"][0]["id"])


def make(network: OneRegion, **values: Any) -> Any:
    base = {"network_id": network_id(network), "cidr": "10.1.0.0/24", "ip_version": 4}
    return network.call("POST", ROOT, {"subnet": {**base, **values}})


def pools(*ranges: tuple[str, str]) -> list[dict[str, str]]:
    return [{"start": start, "end": end} for start, end in ranges]


def test_a_subnet_has_a_gateway_and_a_pool_by_itself(network: OneRegion) -> None:
    made = make(network, name="inner")
    assert made.status_code == 201
    one = made.json["subnet"]
    assert (one["gateway_ip"], one["enable_dhcp"]) == ("10.1.0.1", True)
    assert one["allocation_pools"] == pools(("10.1.0.2", "10.1.0.254"))
    assert network.get(f"{ROOT}/{one['id']}")["subnet"] == one
    assert one["id"] in network.get("/v2.0/networks")["networks"][0]["subnets"]


def test_without_a_gateway_or_with_another(network: OneRegion) -> None:
    without = make(network, gateway_ip=None).json["subnet"]
    assert without["gateway_ip"] is None
    assert without["allocation_pools"] == pools(("10.1.0.1", "10.1.0.254"))
    other = make(network, cidr="10.2.0.0/24", gateway_ip="10.2.0.100").json["subnet"]
    assert other["allocation_pools"] == pools(
        ("10.2.0.1", "10.2.0.99"), ("10.2.0.101", "10.2.0.254")
    )
    given = make(
        network,
        cidr="10.3.0.0/24",
        allocation_pools=pools(("10.3.0.9", "10.3.0.20")),
        dns_nameservers=["9.9.9.9"],
        enable_dhcp="false",
    ).json["subnet"]
    assert given["allocation_pools"] == pools(("10.3.0.9", "10.3.0.20"))
    assert (given["dns_nameservers"], given["enable_dhcp"]) == (["9.9.9.9"], False)


def test_all_but_the_cidr_changes(network: OneRegion) -> None:
    one = make(network).json["subnet"]
    body = {
        "name": "n",
        "description": "d",
        "gateway_ip": None,
        "enable_dhcp": False,
        "dns_nameservers": ["1.1.1.1", "8.8.8.8"],
        "allocation_pools": pools(("10.1.0.50", "10.1.0.60")),
    }
    changed = network.call("PUT", f"{ROOT}/{one['id']}", {"subnet": body})
    assert changed.status_code == 200
    assert {name: changed.json["subnet"][name] for name in body} == body
    assert network.get(f"{ROOT}/{one['id']}")["subnet"] == changed.json["subnet"]
    same = network.call("PUT", f"{ROOT}/{one['id']}", {"subnet": {}}).json["subnet"]
    assert {name: same[name] for name in body} == body


def test_a_gateway_stays_out_of_pools_and_ports(network: OneRegion, port: str) -> None:
    [one] = network.get(ROOT)["subnets"]
    path = f"{ROOT}/{one['id']}"
    inside = network.call("PUT", path, {"subnet": {"gateway_ip": "192.168.0.200"}})
    assert inside.status_code == 409
    assert inside.json["NeutronError"]["type"] == "GatewayConflictWithAllocationPools"
    [ip] = network.get(f"/v2.0/ports/{port}")["port"]["fixed_ips"]
    body = {"gateway_ip": ip["ip_address"], "allocation_pools": []}
    taken = network.call("PUT", path, {"subnet": body})
    assert (taken.status_code, taken.json["NeutronError"]["type"]) == (409, "IpAddressInUse")


def test_a_subnet_with_addresses_in_use_stays(network: OneRegion, port: str) -> None:
    [one] = network.get(ROOT)["subnets"]
    refused = network.call("DELETE", f"{ROOT}/{one['id']}")
    assert (refused.status_code, refused.json["NeutronError"]["type"]) == (409, "SubnetInUse")
    assert network.call("DELETE", f"/v2.0/ports/{port}").status_code == 204
    assert network.call("DELETE", f"{ROOT}/{one['id']}").status_code == 204
    assert network.call("DELETE", f"{ROOT}/{one['id']}").status_code == 404


def test_of_another_project_is_nothing_to_be_seen(network: OneRegion) -> None:
    [one] = network.get(ROOT)["subnets"]
    path = f"{ROOT}/{one['id']}"
    assert network.call("PUT", path, {"subnet": {"name": "x"}}, caller="other").status_code == 404
    assert network.call("DELETE", path, caller="other").status_code == 404


@pytest.mark.parametrize(
    ("values", "status", "kind"),
    [
        ({"network_id": NOBODY}, 404, "NetworkNotFound"),
        ({"cidr": "192.168.0.128/25"}, 400, "InvalidInput"),
        ({"cidr": "192.168.0.0/16"}, 400, "InvalidInput"),
        ({"cidr": "10.1.0.1/24"}, 400, "HTTPBadRequest"),
        ({"cidr": "10.1.0.0"}, 400, "HTTPBadRequest"),
        ({"cidr": "10.1.0.0/31"}, 400, "HTTPBadRequest"),
        ({"cidr": "0.0.0.0/0"}, 400, "HTTPBadRequest"),
        ({"cidr": "127.0.0.0/24"}, 400, "HTTPBadRequest"),
        ({"cidr": "224.0.0.0/24"}, 400, "HTTPBadRequest"),
        ({"cidr": "169.254.0.0/16"}, 400, "HTTPBadRequest"),
        ({"cidr": "fd00::/64"}, 400, "HTTPBadRequest"),
        ({"cidr": ""}, 400, "HTTPBadRequest"),
        ({"cidr": 7}, 400, "HTTPBadRequest"),
        ({"ip_version": 6}, 400, "HTTPBadRequest"),
        ({"gateway_ip": "10.9.0.1"}, 400, "InvalidInput"),
        ({"gateway_ip": "10.1.0.0"}, 400, "InvalidInput"),
        ({"gateway_ip": "nonsense"}, 400, "HTTPBadRequest"),
        ({"gateway_ip": ""}, 400, "HTTPBadRequest"),
        ({"allocation_pools": pools(("10.1.0.9", "10.1.0.8"))}, 400, "InvalidAllocationPool"),
        ({"allocation_pools": pools(("10.1.0.9", "10.2.0.8"))}, 400, "OutOfBoundsAllocationPool"),
        ({"allocation_pools": [{"start": "10.1.0.9"}]}, 400, "HTTPBadRequest"),
        ({"allocation_pools": pools(("a", "b"))}, 400, "HTTPBadRequest"),
        ({"dns_nameservers": ["nonsense"]}, 400, "HTTPBadRequest"),
        ({"dns_nameservers": ["1.1.1.1"] * 2}, 400, "HTTPBadRequest"),
        ({"host_routes": [{"destination": "0.0.0.0/0"}]}, 400, "HTTPBadRequest"),
        ({"enable_dhcp": "perhaps"}, 400, "HTTPBadRequest"),
        ({"network_id": "home"}, 400, "HTTPBadRequest"),
        ({"cidr": None}, 400, "BadRequest"),
        (
            {"allocation_pools": [{"start": "10.1.0.2", "end": "10.1.0.9", "x": 1}]},
            400,
            "HTTPBadRequest",
        ),
        ({"subnetpool_id": NOBODY}, 400, "HTTPBadRequest"),
        ({"tenant_id": OTHER}, 400, "HTTPBadRequest"),
        (
            {"allocation_pools": pools(("10.1.0.9", "10.1.0.20"), ("10.1.0.20", "10.1.0.30"))},
            409,
            "OverlappingAllocationPools",
        ),
    ],
)
def test_what_is_odd_is_refused(
    network: OneRegion, values: dict[str, Any], status: int, kind: str
) -> None:
    refused = make(network, **values)
    assert (refused.status_code, refused.json["NeutronError"]["type"]) == (status, kind)
    assert len(network.get(ROOT)["subnets"]) == 1


def test_of_equal_subnets_at_once_one_is_made(network: OneRegion) -> None:
    body = {"subnet": {"network_id": network_id(network), "cidr": "10.1.0.0/24", "ip_version": 4}}
    codes = network.at_once(6, "POST", ROOT, body)
    assert sorted(codes) == [201, 400, 400, 400, 400, 400]
