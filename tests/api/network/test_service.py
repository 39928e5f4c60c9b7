from __future__ import annotations

import pytest

from tests.api.one_region import OneRegion
from tests.region_store import MINE

NOBODY = "00000000-0000-4000-8000-000000000000"


def test_discovery_answers_with_and_without_a_slash(network: OneRegion) -> None:
    for path in ("", "/", "/v2.0", "/v2.0/"):
        result = network.call("GET", path, caller=None)
        assert result.status_code == 200
        [version] = result.json["versions"]
        assert version["id"] == "v2.0"
        assert version["links"][0]["href"] == f"{network.root}/v2.0/"


def test_a_first_start_has_a_network_with_a_subnet_and_a_default_group(network: OneRegion) -> None:
    [one] = network.get("/v2.0/networks")["networks"]
    [subnet] = network.get("/v2.0/subnets")["subnets"]
    [group] = network.get("/v2.0/security-groups")["security_groups"]
    assert " " not in one["name"]
    assert one["subnets"] == [subnet["id"]]
    assert (one["tenant_id"], one["status"], one["router:external"]) == (MINE, "ACTIVE", False)
    assert subnet["network_id"] == one["id"]
    assert (subnet["cidr"], subnet["gateway_ip"]) == ("192.168.0.0/24", "192.168.0.1")
    assert group["name"] == "default"
    rules = {(r["direction"], r["remote_group_id"]) for r in group["security_group_rules"]}
    assert rules == {("egress", None), ("ingress", group["id"])}


def test_another_project_sees_none_of_it(network: OneRegion) -> None:
    [one] = network.get("/v2.0/networks")["networks"]
    assert network.get("/v2.0/networks", caller="other")["networks"] == []
    assert network.call("GET", f"/v2.0/networks/{one['id']}", caller="other").status_code == 404


def test_a_port_shows_its_address_and_groups(network: OneRegion, port: str) -> None:
    shown = network.get(f"/v2.0/ports/{port}")["port"]
    [group] = network.get("/v2.0/security-groups")["security_groups"]
    assert shown["fixed_ips"][0]["ip_address"].startswith("192.168.0.")
    assert shown["security_groups"] == [group["id"]]
    assert shown["mac_address"].startswith("fa:16:3e:")
    assert network.get("/v2.0/ports", caller="other")["ports"] == []


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("networks", "NetworkNotFound", "Network {} could not be found."),
        ("subnets", "SubnetNotFound", "Subnet {} could not be found."),
        ("ports", "PortNotFound", "Port {} could not be found."),
        ("security-groups", "SecurityGroupNotFound", "Security group {} does not exist"),
        (
            "security-group-rules",
            "SecurityGroupRuleNotFound",
            "Security group rule {} does not exist",
        ),
        ("routers", "RouterNotFound", "Router {} could not be found."),
        ("floatingips", "FloatingIPNotFound", "Floating IP {} could not be found."),
    ],
)
@pytest.mark.parametrize("wanted", [NOBODY, "Default-Network"])
def test_what_is_not_there_is_a_clean_404_by_name_too(
    network: OneRegion, path: str, kind: str, text: str, wanted: str
) -> None:
    result = network.call("GET", f"/v2.0/{path}/{wanted}")
    assert result.status_code == 404
    assert result.json == {
        "NeutronError": {"type": kind, "message": text.format(wanted), "detail": ""}
    }
