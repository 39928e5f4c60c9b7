from __future__ import annotations

from typing import Any

import pytest

from tests.api.one_region import OneRegion
from tests.region_store import MINE, OTHER

ROOT = "/v2.0/quotas"
DEFAULTS = {
    "network": 100,
    "subnet": 100,
    "port": 500,
    "security_group": 10,
    "security_group_rule": 100,
}


def limit(region: OneRegion, /, **limits: Any) -> Any:
    return region.call("PUT", f"{ROOT}/{MINE}", {"quota": limits}, caller="admin")


def test_limits_and_what_is_used(network: OneRegion, port: str) -> None:
    assert network.get(f"{ROOT}/{MINE}") == {"quota": DEFAULTS}
    assert network.get(f"{ROOT}/{MINE}/default") == {"quota": DEFAULTS}
    for path in ("details", "details.json"):
        shown = network.get(f"{ROOT}/{MINE}/{path}")["quota"]
        assert {name: one["limit"] for name, one in shown.items()} == DEFAULTS
        assert shown["port"] == {"limit": 500, "used": 1, "reserved": 0}
        assert [shown[name]["used"] for name in DEFAULTS] == [1, 1, 1, 1, 2]
    assert network.call("DELETE", f"/v2.0/ports/{port}").status_code == 204
    assert network.get(f"{ROOT}/{MINE}/details")["quota"]["port"]["used"] == 0


def test_an_administrator_changes_them(network: OneRegion) -> None:
    changed = limit(network, port="7", network=-1)
    assert changed.status_code == 200
    assert changed.json == {"quota": {**DEFAULTS, "port": 7, "network": -1}}
    assert limit(network, subnet=3, force=True).json["quota"]["port"] == 7
    assert network.get(f"{ROOT}/{MINE}")["quota"]["subnet"] == 3
    assert network.get(f"{ROOT}/{MINE}/default") == {"quota": DEFAULTS}
    assert network.get(ROOT, caller="admin")["quotas"] == [
        {
            **DEFAULTS,
            "port": 7,
            "network": -1,
            "subnet": 3,
            "project_id": MINE,
            "tenant_id": MINE,
        }
    ]
    assert network.call("DELETE", f"{ROOT}/{MINE}", caller="admin").status_code == 204
    assert network.get(f"{ROOT}/{MINE}") == {"quota": DEFAULTS}
    assert network.get(ROOT, caller="admin") == {"quotas": []}


def test_others_do_not(network: OneRegion) -> None:
    for method, path, body in (
        ("PUT", f"{ROOT}/{MINE}", {"quota": {"port": 1}}),
        ("DELETE", f"{ROOT}/{MINE}", None),
        ("GET", ROOT, None),
        ("GET", f"{ROOT}/{OTHER}", None),
        ("GET", f"{ROOT}/{OTHER}/details", None),
    ):
        refused = network.call(method, path, body)
        assert refused.status_code == 403, path
        assert refused.json["NeutronError"]["type"] == "PolicyNotAuthorized"
    assert network.get(f"{ROOT}/{OTHER}", caller="admin") == {"quota": DEFAULTS}


@pytest.mark.parametrize(
    "quota",
    [
        {"port": -2},
        {"port": 2**31},
        {"port": True},
        {"port": None},
        {"port": 1.5},
        {"port": "many"},
        {"port": [1]},
        {"router": 1},
        {"check_limit": "perhaps"},
        {"network": 0, "check_limit": True},
    ],
)
def test_what_is_odd_is_refused(network: OneRegion, quota: dict[str, Any]) -> None:
    refused = limit(network, **quota)
    assert refused.status_code == 400, refused.text
    assert refused.json["NeutronError"]["type"] == "HTTPBadRequest"
    assert network.get(f"{ROOT}/{MINE}") == {"quota": DEFAULTS}


@pytest.mark.parametrize(("method", "body"), [("PUT", {"quota": {"port": 1}}), ("DELETE", None)])
@pytest.mark.parametrize("project", ["nobody", "9" * 300])
def test_a_limit_is_of_a_project(
    network: OneRegion, project: str, method: str, body: dict[str, Any] | None
) -> None:
    refused = network.call(method, f"{ROOT}/{project}", body, caller="admin")
    assert refused.status_code == 400


def bodies(network: OneRegion) -> dict[str, tuple[str, dict[str, Any]]]:
    """What to POST for one more of each kind."""
    home = network.get("/v2.0/networks")["networks"][0]["id"]
    group = network.get("/v2.0/security-groups")["security_groups"][0]["id"]
    rule = {"security_group_id": group, "direction": "ingress", "protocol": "tcp"}
    subnet = {"network_id": home, "cidr": "10.9.0.0/24", "ip_version": 4}
    return {
        "network": ("/v2.0/networks", {"network": {"name": "n"}}),
        "subnet": ("/v2.0/subnets", {"subnet": subnet}),
        "port": ("/v2.0/ports", {"port": {"network_id": home}}),
        "security_group": ("/v2.0/security-groups", {"security_group": {"name": "g"}}),
        "security_group_rule": ("/v2.0/security-group-rules", {"security_group_rule": rule}),
    }


@pytest.mark.parametrize("kind", DEFAULTS)
def test_a_full_project_gets_no_more_of_a_kind(network: OneRegion, kind: str) -> None:
    path, body = bodies(network)[kind]
    used = network.get(f"{ROOT}/{MINE}/details")["quota"][kind]["used"]
    assert limit(network, **{kind: used}).status_code == 200
    refused = network.call("POST", path, body)
    assert refused.status_code == 409
    error = refused.json["NeutronError"]
    assert error["type"] == "OverQuota"
    assert error["message"] == f"Quota exceeded for resources: ['{kind}']."
    assert limit(network, **{kind: used + 1}).status_code == 200
    assert network.call("POST", path, body).status_code == 201
    assert limit(network, **{kind: -1}).status_code == 200


def test_vpcs_are_networks(network: OneRegion) -> None:
    limit(network, network=1, subnet=1)
    vpc = {"vpc": {"name": "v", "cidrv4": "10.0.0.0/16"}}
    refused = network.call("POST", "/v2.0/vpcs", vpc)
    assert (refused.status_code, refused.json["NeutronError"]["type"]) == (409, "OverQuota")
    [home] = network.get("/v2.0/networks")["networks"]
    subnet = {"vpcsubnet": {"vpc_id": home["id"], "cidr": "192.168.0.0/28", "name": "s"}}
    refused = network.call("POST", "/v2.0/vpcsubnets", subnet)
    assert (refused.status_code, refused.json["NeutronError"]["type"]) == (409, "OverQuota")


@pytest.mark.parametrize("kind", ["network", "port", "security_group"])
def test_of_many_at_once_one_gets_the_last_place(network: OneRegion, kind: str) -> None:
    path, body = bodies(network)[kind]
    used = network.get(f"{ROOT}/{MINE}/details")["quota"][kind]["used"]
    limit(network, **{kind: used + 1})
    assert sorted(network.at_once(8, "POST", path, body)) == [201] + [409] * 7
