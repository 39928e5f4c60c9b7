from __future__ import annotations

from typing import Any

import pytest

from tests.api.one_region import OneRegion

NOBODY = "00000000-0000-4000-8000-000000000000"


def group_of(network: OneRegion) -> str:
    return str(network.get("/v2.0/security-groups")["security_groups"][0]["id"])


def post(network: OneRegion, **rule: Any) -> Any:
    rule = {"security_group_id": group_of(network), "direction": "ingress", **rule}
    return network.call("POST", "/v2.0/security-group-rules", {"security_group_rule": rule})


def test_a_rule_is_made_shown_and_deleted(network: OneRegion) -> None:
    made = post(
        network,
        protocol="TCP",
        port_range_min=22,
        port_range_max="22",
        remote_ip_prefix="10.1.2.3/8",
        description="ssh",
    )
    assert made.status_code == 201
    rule = made.json["security_group_rule"]
    assert (rule["protocol"], rule["port_range_min"], rule["port_range_max"]) == ("tcp", 22, 22)
    assert rule["remote_ip_prefix"] == "10.0.0.0/8"
    path = f"/v2.0/security-group-rules/{rule['id']}"
    assert network.get(path)["security_group_rule"] == rule
    assert network.call("DELETE", path, caller="other").status_code == 404
    assert network.call("DELETE", path).status_code == 204
    assert network.call("DELETE", path).status_code == 404


def test_an_equal_rule_is_a_conflict(network: OneRegion) -> None:
    first = post(network, protocol="icmp").json["security_group_rule"]
    again = post(network, protocol="icmp", description="another text")
    assert again.status_code == 409
    assert again.json["NeutronError"]["type"] == "SecurityGroupRuleExists"
    assert first["id"] in again.json["NeutronError"]["message"]


@pytest.mark.parametrize(
    "rule",
    [
        {"protocol": None},
        {"protocol": "any"},
        {"protocol": 6, "port_range_min": 1, "port_range_max": 65535},
        {"protocol": "icmp", "port_range_min": 8, "port_range_max": 0},
        {"protocol": "47"},
        {"direction": "egress", "ethertype": "IPv6"},
        {"ethertype": "ipv4", "remote_ip_prefix": "0.0.0.0/0"},
    ],
)
def test_what_neutron_accepts_is_accepted(network: OneRegion, rule: dict[str, Any]) -> None:
    assert post(network, **rule).status_code == 201


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"direction": "sideways"}, 400),
        ({"ethertype": "IPX"}, 400),
        ({"protocol": "nonsense"}, 400),
        ({"protocol": 256}, 400),
        ({"port_range_min": 1, "port_range_max": 2}, 400),
        ({"protocol": "tcp", "port_range_min": 2, "port_range_max": 1}, 400),
        ({"protocol": "tcp", "port_range_min": 0, "port_range_max": 1}, 400),
        ({"protocol": "tcp", "port_range_min": 1, "port_range_max": 65536}, 400),
        ({"protocol": "tcp", "port_range_min": 1}, 400),
        ({"protocol": "icmp", "port_range_max": 1}, 400),
        ({"protocol": "icmp", "port_range_min": 256}, 400),
        ({"remote_ip_prefix": "10.0.0.300/8"}, 400),
        ({"remote_ip_prefix": "::/0"}, 400),
        ({"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": NOBODY}, 400),
        ({"security_group_id": NOBODY}, 404),
        ({"remote_group_id": NOBODY}, 404),
        ({"security_group_id": 7}, 400),
        ({"description": "x" * 256}, 400),
        ({"protocol": "tcp", "port_range_min": 2**63, "port_range_max": 2**63}, 400),
        ({"description": "\0"}, 400),
    ],
)
def test_what_is_odd_is_refused(network: OneRegion, rule: dict[str, Any], status: int) -> None:
    result = post(network, **rule)
    assert result.status_code == status, result.text
    assert set(result.json["NeutronError"]) == {"type", "message", "detail"}


def test_a_reader_may_not_write(network: OneRegion) -> None:
    rule = {"security_group_rule": {"security_group_id": NOBODY, "direction": "ingress"}}
    result = network.call("POST", "/v2.0/security-group-rules", rule, caller="reader")
    assert result.status_code == 403
    assert result.json["NeutronError"]["type"] == "PolicyNotAuthorized"
