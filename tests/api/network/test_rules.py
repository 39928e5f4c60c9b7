from __future__ import annotations

from typing import Any

import pytest

from tests.api.one_region import OneRegion
from tests.region_store import OTHER

ROOT = "/v2.0/security-group-rules"

NOBODY = "00000000-0000-4000-8000-000000000000"


def _ports(protocol: str | None, low: object, high: object) -> dict[str, Any]:
    return {"protocol": protocol, "port_range_min": low, "port_range_max": high}


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
    assert (rule["remote_ip_prefix"], rule["normalized_cidr"]) == ("10.1.2.3/8", "10.0.0.0/8")
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
    ("rule", "again"),
    [
        ({"protocol": "udp"}, {"protocol": 17}),
        ({"protocol": "47"}, {"protocol": "gre"}),
        ({"protocol": "udp"}, {"protocol": "udp", "remote_ip_prefix": "0.0.0.0/0"}),
        (
            {"ethertype": "IPv6", "protocol": "icmpv6", "remote_ip_prefix": "::/0"},
            {"ethertype": "IPv6", "protocol": "ipv6-icmp"},
        ),
    ],
)
def test_a_rule_in_other_words_is_the_same_rule(
    network: OneRegion, rule: dict[str, Any], again: dict[str, Any]
) -> None:
    assert post(network, **rule).status_code == 201
    refused = post(network, **again)
    assert refused.status_code == 409
    assert refused.json["NeutronError"]["type"] == "SecurityGroupRuleExists"


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
    ("rule", "status", "kind"),
    [
        ({"direction": "sideways"}, 400, "HTTPBadRequest"),
        ({"ethertype": "IPX"}, 400, "SecurityGroupRuleInvalidEtherType"),
        ({"protocol": "nonsense"}, 400, "SecurityGroupRuleInvalidProtocol"),
        ({"protocol": 256}, 400, "SecurityGroupRuleInvalidProtocol"),
        ({"protocol": "icmpv6"}, 400, "SecurityGroupEthertypeConflictWithProtocol"),
        (_ports(None, 1, 2), 400, "SecurityGroupProtocolRequiredWithPorts"),
        (_ports("gre", 1, 2), 400, "SecurityGroupInvalidProtocolForPort"),
        (_ports("tcp", 2, 1), 400, "SecurityGroupInvalidPortRange"),
        (_ports("tcp", 1, None), 400, "SecurityGroupInvalidPortRange"),
        (_ports("tcp", 0, 1), 400, "SecurityGroupInvalidPortValue"),
        (_ports("tcp", 1, 65536), 400, "SecurityGroupInvalidPortValue"),
        (_ports("tcp", 1, True), 400, None),
        (_ports("tcp", "x", 1), 400, "SecurityGroupInvalidPortValue"),
        (_ports("tcp", 2**63, 2**63), 400, "SecurityGroupInvalidPortValue"),
        (_ports("icmp", None, 1), 400, "SecurityGroupMissingIcmpType"),
        (_ports("icmp", 256, None), 400, "SecurityGroupInvalidIcmpValue"),
        (_ports("icmp", 8, 256), 400, "SecurityGroupInvalidIcmpValue"),
        ({"remote_ip_prefix": "10.0.0.300/8"}, 400, "InvalidCIDR"),
        ({"ethertype": "IPv6", "remote_ip_prefix": "fe80::1%eth0/64"}, 400, "InvalidCIDR"),
        ({"remote_ip_prefix": "::/0"}, 400, "SecurityGroupRuleParameterConflict"),
        (
            {"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": NOBODY},
            400,
            "SecurityGroupRemoteGroupAndRemoteIpPrefix",
        ),
        ({"security_group_id": ""}, 404, "SecurityGroupNotFound"),
        ({"security_group_id": NOBODY}, 404, "SecurityGroupNotFound"),
        ({"remote_group_id": NOBODY}, 404, "SecurityGroupNotFound"),
        ({"security_group_id": 7}, 400, "HTTPBadRequest"),
        ({"tenant_id": OTHER}, 400, "HTTPBadRequest"),
        ({"description": "x" * 256}, 400, "HTTPBadRequest"),
        ({"description": "\0"}, 400, "HTTPBadRequest"),
    ],
)
def test_what_is_odd_is_refused(
    network: OneRegion, rule: dict[str, Any], status: int, kind: str | None
) -> None:
    result = post(network, **rule)
    assert result.status_code == status, result.text
    assert set(result.json["NeutronError"]) == {"type", "message", "detail"}
    assert kind in (None, result.json["NeutronError"]["type"])


def test_of_many_equal_rules_at_once_one_is_made(network: OneRegion) -> None:
    rule = {"security_group_id": group_of(network), "direction": "ingress", "protocol": "udp"}
    codes = network.at_once(8, "POST", "/v2.0/security-group-rules", {"security_group_rule": rule})
    assert sorted(codes) == [201] + [409] * 7


def test_a_reader_may_not_write(network: OneRegion) -> None:
    rule = {"security_group_rule": {"security_group_id": NOBODY, "direction": "ingress"}}
    result = network.call("POST", "/v2.0/security-group-rules", rule, caller="reader")
    assert result.status_code == 403
    assert result.json["NeutronError"]["type"] == "PolicyNotAuthorized"


def test_a_rule_says_whether_it_is_of_the_default_group(network: OneRegion) -> None:
    [home] = network.get("/v2.0/security-groups?name=default")["security_groups"]
    web = network.call("POST", "/v2.0/security-groups", {"security_group": {"name": "web"}}).json
    for group_id, default in ((home["id"], True), (web["security_group"]["id"], False)):
        body = {"security_group_id": group_id, "direction": "ingress", "protocol": "udp"}
        made = network.call("POST", ROOT, {"security_group_rule": body}).json
        rule = made["security_group_rule"]
        assert rule["belongs_to_default_sg"] is default
        assert network.get(f"{ROOT}/{rule['id']}")["security_group_rule"] == rule
        group = network.get(f"/v2.0/security-groups/{group_id}")["security_group"]
        assert rule in group["security_group_rules"]
        found = network.get(f"{ROOT}?security_group_id={group_id}")["security_group_rules"]
        assert {one["belongs_to_default_sg"] for one in found} == {default}
    both = network.get(ROOT)["security_group_rules"]
    of_default = network.get(f"{ROOT}?belongs_to_default_sg=true")["security_group_rules"]
    assert of_default == [one for one in both if one["security_group_id"] == home["id"]] != both
