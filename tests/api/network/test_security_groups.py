from __future__ import annotations

from typing import Any

import pytest

from tests.api.one_region import OneRegion
from tests.region_store import OTHER

NOBODY = "00000000-0000-4000-8000-000000000000"
ROOT = "/v2.0/security-groups"


def make(network: OneRegion, **group: Any) -> Any:
    return network.call("POST", ROOT, {"security_group": group})


def default(network: OneRegion) -> str:
    [one] = network.get(f"{ROOT}?name=default")["security_groups"]
    return str(one["id"])


def test_a_group_lets_everything_out_and_nothing_in(network: OneRegion) -> None:
    made = make(network, name="web", description="front")
    assert made.status_code == 201
    group = made.json["security_group"]
    assert (group["name"], group["description"]) == ("web", "front")
    [rule] = group["security_group_rules"]
    assert (rule["direction"], rule["ethertype"], rule["protocol"]) == ("egress", "IPv4", None)
    assert network.get(f"{ROOT}/{group['id']}")["security_group"] == group
    assert network.get(f"{ROOT}?name=web")["security_groups"] == [group]


def test_name_and_description_change(network: OneRegion) -> None:
    group = make(network, name="web").json["security_group"]
    path = f"{ROOT}/{group['id']}"
    changed = network.call("PUT", path, {"security_group": {"name": "db", "description": "back"}})
    assert changed.status_code == 200
    assert changed.json["security_group"]["name"] == "db"
    assert network.get(path)["security_group"] == changed.json["security_group"]
    again = network.call("PUT", path, {"security_group": {}})
    assert again.json["security_group"]["description"] == "back"


def test_a_deleted_group_takes_its_rules_and_those_that_name_it(network: OneRegion) -> None:
    group = make(network, name="web").json["security_group"]["id"]
    rule = {
        "security_group_id": default(network),
        "direction": "ingress",
        "remote_group_id": group,
    }
    made = network.call("POST", "/v2.0/security-group-rules", {"security_group_rule": rule})
    assert made.status_code == 201
    assert network.call("DELETE", f"{ROOT}/{group}").status_code == 204
    assert network.call("DELETE", f"{ROOT}/{group}").status_code == 404
    left = network.get("/v2.0/security-group-rules")["security_group_rules"]
    assert all(group not in (r["security_group_id"], r["remote_group_id"]) for r in left)


def test_a_group_with_a_port_stays(network: OneRegion, port: str) -> None:
    [used] = network.get(f"/v2.0/ports/{port}")["port"]["security_groups"]
    [one] = network.get("/v2.0/networks")["networks"]
    group = make(network, name="web").json["security_group"]["id"]
    body = {"port": {"network_id": one["id"], "security_groups": [group, used]}}
    lent = network.call("POST", "/v2.0/ports", body).json["port"]["id"]
    refused = network.call("DELETE", f"{ROOT}/{group}")
    assert refused.status_code == 409
    assert refused.json["NeutronError"]["type"] == "SecurityGroupInUse"
    assert network.call("DELETE", f"/v2.0/ports/{lent}").status_code == 204
    assert network.call("DELETE", f"{ROOT}/{group}").status_code == 204


def test_the_default_group_stays_as_it_is(network: OneRegion) -> None:
    path = f"{ROOT}/{default(network)}"
    for method, body, kind in (
        ("DELETE", None, "SecurityGroupCannotRemoveDefault"),
        ("PUT", {"security_group": {"name": "mine"}}, "SecurityGroupCannotUpdateDefault"),
        ("POST", {"security_group": {"name": "Default"}}, "SecurityGroupDefaultAlreadyExists"),
    ):
        refused = network.call(method, ROOT if method == "POST" else path, body)
        assert refused.status_code == 409
        assert refused.json["NeutronError"]["type"] == kind
    other = make(network, name="web").json["security_group"]["id"]
    taken = network.call("PUT", f"{ROOT}/{other}", {"security_group": {"name": "default"}})
    assert taken.json["NeutronError"]["type"] == "SecurityGroupDefaultAlreadyExists"
    kept = {"security_group": {"name": "default", "description": "ours"}}
    assert network.call("PUT", path, kept).status_code == 200


def test_a_project_that_is_new_to_the_region_finds_its_default_group(bare: OneRegion) -> None:
    [group] = bare.get(ROOT, caller="other")["security_groups"]
    assert (group["name"], group["tenant_id"]) == ("default", OTHER)
    assert bare.get(ROOT, caller="other")["security_groups"] == [group]
    rules = bare.get("/v2.0/security-group-rules", caller="member")["security_group_rules"]
    assert {rule["direction"] for rule in rules} == {"ingress", "egress"}


def test_of_another_project_is_nothing_to_be_seen(network: OneRegion) -> None:
    path = f"{ROOT}/{default(network)}"
    body = {"security_group": {"description": "theirs"}}
    assert network.call("PUT", path, body, caller="other").status_code == 404
    assert network.call("DELETE", path, caller="other").status_code == 404
    assert network.call("POST", ROOT, {"security_group": {}}, caller="reader").status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        {},
        {"security_group": None},
        {"security_group": {"name": 7}},
        {"security_group": {"name": None}},
        {"security_group": {"name": "x" * 256}},
        {"security_group": {"name": "x", "description": "y" * 256}},
        {"security_group": {"name": "a\0b"}},
        {"security_group": {"name": "x", "tenant_id": OTHER}},
    ],
)
def test_what_is_odd_is_refused(network: OneRegion, body: object) -> None:
    refused = network.call("POST", ROOT, body)
    assert refused.status_code == 400, refused.text
    assert set(refused.json["NeutronError"]) == {"type", "message", "detail"}
