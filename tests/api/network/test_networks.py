from __future__ import annotations

from typing import Any

import pytest

from tests.api.one_region import OneRegion
from tests.region_store import MINE, OTHER

ROOT = "/v2.0/networks"


def make(network: OneRegion, caller: str = "member", **values: Any) -> Any:
    return network.call("POST", ROOT, {"network": values}, caller=caller)


def test_a_network_is_made_changed_and_deleted(network: OneRegion) -> None:
    made = make(network, name="front", description="d", admin_state_up=0, mtu=1400)
    assert made.status_code == 201
    one = made.json["network"]
    assert (one["name"], one["status"], one["tenant_id"]) == ("front", "ACTIVE", MINE)
    assert (one["admin_state_up"], one["mtu"], one["subnets"]) == (False, 1400, [])
    path = f"{ROOT}/{one['id']}"
    assert network.get(path)["network"] == one
    body = {"network": {"name": "back", "admin_state_up": "true", "mtu": 1400}}
    changed = network.call("PUT", path, body)
    assert changed.status_code == 200
    assert (changed.json["network"]["name"], changed.json["network"]["description"]) == (
        "back",
        "d",
    )
    assert network.get(path)["network"] == changed.json["network"]
    assert network.call("DELETE", path).status_code == 204
    assert network.call("DELETE", path).json["NeutronError"]["type"] == "NetworkNotFound"


def test_a_network_goes_with_its_subnets_but_not_with_ports(network: OneRegion, port: str) -> None:
    [one] = network.get(ROOT)["networks"]
    refused = network.call("DELETE", f"{ROOT}/{one['id']}")
    assert (refused.status_code, refused.json["NeutronError"]["type"]) == (409, "NetworkInUse")
    assert network.call("DELETE", f"/v2.0/ports/{port}").status_code == 204
    assert network.call("DELETE", f"{ROOT}/{one['id']}").status_code == 204
    assert network.get("/v2.0/subnets")["subnets"] == []


def test_only_an_administrator_shares_a_network(network: OneRegion) -> None:
    assert make(network, shared=True).status_code == 403
    one = make(network, caller="admin", name="all", shared=True).json["network"]
    path = f"{ROOT}/{one['id']}"
    [seen] = network.get(ROOT, caller="other")["networks"]
    assert seen["id"] == one["id"]
    for method, body in (("PUT", {"network": {"name": "x"}}), ("DELETE", None)):
        assert network.call(method, path, body, caller="other").status_code == 403
    theirs = network.call(
        "POST", "/v2.0/ports", {"port": {"network_id": one["id"]}}, caller="other"
    )
    assert theirs.status_code == 201
    assert theirs.json["port"]["tenant_id"] == OTHER
    refused = network.call("PUT", path, {"network": {"shared": False}})
    assert refused.json["NeutronError"]["type"] == "InvalidSharedSetting"
    port = f"/v2.0/ports/{theirs.json['port']['id']}"
    assert network.call("DELETE", port, caller="other").status_code == 204
    assert network.call("PUT", path, {"network": {"shared": False}}).status_code == 200
    assert network.get(ROOT, caller="other")["networks"] == []


def test_of_another_project_is_nothing_to_be_seen(network: OneRegion) -> None:
    [one] = network.get(ROOT)["networks"]
    path = f"{ROOT}/{one['id']}"
    assert network.call("PUT", path, {"network": {"name": "x"}}, caller="other").status_code == 404
    assert network.call("DELETE", path, caller="other").status_code == 404
    assert make(network, caller="reader").status_code == 403


@pytest.mark.parametrize(
    "values",
    [
        {"name": 7},
        {"name": "x" * 256},
        {"name": "a\0b"},
        {"admin_state_up": "perhaps"},
        {"router:external": True},
        {"mtu": 9000},
        {"mtu": -1},
        {"mtu": 2**70},
        {"mtu": "many"},
        {"mtu": "1" * 5000},
        {"mtu": True},
        {"port_security_enabled": False},
        {"tenant_id": OTHER},
    ],
)
def test_what_is_odd_is_refused(network: OneRegion, values: dict[str, Any]) -> None:
    assert make(network, **values).status_code == 400
    assert len(network.get(ROOT)["networks"]) == 1


def test_an_mtu_may_be_a_string_as_the_openstack_command_sends_it(network: OneRegion) -> None:
    one = make(network, name="front", mtu="1400").json["network"]
    assert one["mtu"] == 1400
    path = f"{ROOT}/{one['id']}"
    assert network.call("PUT", path, {"network": {"mtu": "1400"}}).status_code == 200
    assert network.call("PUT", path, {"network": {"mtu": "1300"}}).status_code == 400


@pytest.mark.parametrize("values", [{"mtu": 1300}, {"name": []}, {"shared": "x"}])
def test_an_odd_change_is_refused(network: OneRegion, values: dict[str, Any]) -> None:
    [one] = network.get(ROOT)["networks"]
    assert network.call("PUT", f"{ROOT}/{one['id']}", {"network": values}).status_code == 400
