from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from hanok.api.network.attributes import STANDARD, Attributes
from hanok.model.errors import Invalid
from tests.api.one_region import OneRegion
from tests.region_store import MINE

NOBODY = "00000000-0000-4000-8000-000000000000"


class Change(msgspec.Struct):
    name: str | None = None


class New(Change, kw_only=True):
    size: int


BOX = Attributes(
    "box",
    New,
    Change,
    shown=STANDARD | {"status"},
    fixed={"lid": True, "label": "", "stickers": [], "kind": "plain"},
    settled=frozenset({"kind"}),
)


def body(**values: Any) -> bytes:
    return json.dumps({"box": values}).encode()


def test_what_may_be_set_is_read() -> None:
    assert BOX.to_create(body(size=3, name="a")) == New(size=3, name="a")
    assert BOX.to_change(body(name="b")) == Change(name="b")
    assert BOX.to_change(body()) == Change()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"zap": 1, "size": 3, "zip": 2}, r"Unrecognized attribute\(s\) 'zap, zip'"),
        ({"name": "a"}, "Failed to parse request. Required attribute 'size' not specified"),
        ({"size": 3, "status": "x"}, "Attribute 'status' not allowed in POST"),
        ({"size": 3, "id": None}, "Attribute 'id' not allowed in POST"),
        ({"size": "3"}, "box.size"),
    ],
)
def test_what_a_post_may_not_have_is_refused_in_neutron_s_words(
    values: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        BOX.to_create(body(**values))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"zap": 1}, r"Unrecognized attribute\(s\) 'zap'"),
        ({"size": 3}, "Cannot update read-only attribute size"),
        ({"updated_at": "now"}, "Cannot update read-only attribute updated_at"),
        ({"kind": "plain"}, "Cannot update read-only attribute kind"),
    ],
)
def test_what_a_put_may_not_have_is_refused_in_neutron_s_words(
    values: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        BOX.to_change(body(**values))


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        ({}, "Resource body required"),
        ({"crate": {}}, "Unable to find 'box' in request body"),
        ({"box": None}, "Unable to find 'box' in request body"),
        ({"box": [1]}, "Object 'box' contains invalid data"),
        ({"boxs": [{"size": 3}]}, "Bulk operation not supported"),
        ([], "Malformed request body"),
    ],
)
def test_a_body_without_its_object_is_refused(whole: Any, said: str) -> None:
    for read in (BOX.to_create, BOX.to_change):
        with pytest.raises(Invalid, match=said):
            read(json.dumps(whole).encode())


@pytest.mark.parametrize(
    "values",
    [
        {"lid": True},
        {"lid": "true"},
        {"lid": 1},
        {"lid": None},
        {"label": ""},
        {"label": None},
        {"stickers": []},
        {"kind": "plain"},
        {"kind": ""},
    ],
)
def test_what_is_fixed_may_be_said_and_changes_nothing(values: dict[str, Any]) -> None:
    assert BOX.to_create(body(size=3, **values)) == New(size=3)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"lid": False}, "Invalid input for lid. Reason: nothing but 'True' is offered."),
        ({"lid": "maybe"}, "Invalid input for lid."),
        ({"label": "x"}, "Invalid input for label. Reason: it is not offered."),
        ({"label": False}, "Invalid input for label. Reason: it is not offered."),
        ({"stickers": [1]}, "Invalid input for stickers. Reason: it is not offered."),
        ({"kind": "fancy"}, "Invalid input for kind. Reason: nothing but 'plain' is offered."),
    ],
)
def test_what_is_fixed_is_not_to_be_had_otherwise(values: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        BOX.to_create(body(size=3, **values))


def made(network: OneRegion) -> dict[str, dict[str, Any]]:
    """One object of each kind, as its POST answers it, by its key."""
    found: dict[str, dict[str, Any]] = {}
    for path, key, values in (
        ("networks", "network", {}),
        ("subnets", "subnet", {"network_id": "network", "cidr": "10.9.0.0/24", "ip_version": 4}),
        ("ports", "port", {"network_id": "network"}),
        ("security-groups", "security_group", {"name": "g"}),
        (
            "security-group-rules",
            "security_group_rule",
            {"security_group_id": "security_group", "direction": "ingress"},
        ),
        ("vpcs", "vpc", {"name": "v", "cidrv4": "10.0.0.0/8"}),
        ("vpcsubnets", "vpcsubnet", {"vpc_id": "vpc", "cidr": "10.1.0.0/24", "name": "s"}),
    ):
        asked = {k: found[v]["id"] if v in found else v for k, v in values.items()}
        answer = network.call("POST", f"/v2.0/{path}", {key: asked})
        assert answer.status_code == 201, answer.text
        found[key] = {**answer.json[key], "asked": asked, "path": f"/v2.0/{path}"}
    return found


def test_no_kind_takes_what_it_does_not_know_or_only_shows(network: OneRegion) -> None:
    for key, one in made(network).items():
        path, asked = one.pop("path"), one.pop("asked")
        for name, said in (
            ("colour", "Unrecognized attribute(s) 'colour'"),
            ("id", "Attribute 'id' not allowed in POST"),
        ):
            refused = network.call("POST", path, {key: {**asked, name: "x"}})
            assert (refused.status_code, refused.json["NeutronError"]["type"]) == (
                400,
                "HTTPBadRequest",
            )
            assert refused.json["NeutronError"]["message"] == said
        if key == "security_group_rule":
            continue
        # Nothing that is shown is unknown: it is set, or it is refused by its name.
        for name, value in one.items():
            answer = network.call("PUT", f"{path}/{one['id']}", {key: {name: value}})
            words = f"Cannot update read-only attribute {name}"
            assert answer.status_code == 200 or words in answer.text, (key, name, answer.text)
        for name in ("id", "tenant_id"):
            answer = network.call("PUT", f"{path}/{one['id']}", {key: {name: one[name]}})
            assert answer.status_code == 400, (key, name)


@pytest.mark.parametrize(
    ("path", "key", "values"),
    [
        # openstacksdk's cloud layer, Ansible's modules, gophercloud and Terraform, libcloud
        (
            "networks",
            "network",
            {
                "name": "n",
                "admin_state_up": True,
                "shared": False,
                "router:external": False,
                "availability_zone_hints": [],
                "port_security_enabled": True,
                "mtu": 1400,
                "dns_domain": "",
                "provider:network_type": None,
                "qos_policy_id": None,
                "vlan_transparent": False,
                "description": "",
                "project_id": MINE,
                "tenant_id": MINE,
            },
        ),
        (
            "subnets",
            "subnet",
            {
                "ip_version": 4,
                "cidr": "10.9.0.0/24",
                "enable_dhcp": True,
                "name": "s",
                "description": "",
                "dns_nameservers": [],
                "host_routes": [],
                "allocation_pools": None,
                "ipv6_address_mode": None,
                "ipv6_ra_mode": None,
                "prefixlen": None,
                "subnetpool_id": None,
                "use_default_subnetpool": False,
                "service_types": [],
                "segment_id": None,
            },
        ),
        (
            "ports",
            "port",
            {
                "name": "p",
                "admin_state_up": True,
                "device_id": "",
                "device_owner": "",
                "allowed_address_pairs": [],
                "extra_dhcp_opts": [],
                "binding:host_id": "",
                "binding:profile": {},
                "binding:vnic_type": "normal",
                "dns_name": "",
                "port_security_enabled": True,
                "propagate_uplink_status": True,
                "qos_policy_id": None,
            },
        ),
        (
            "security-groups",
            "security_group",
            {"name": "g", "description": "", "stateful": True, "project_id": MINE},
        ),
    ],
)
def test_what_clients_send_unasked_passes(
    network: OneRegion, path: str, key: str, values: dict[str, Any]
) -> None:
    [home] = network.get("/v2.0/networks")["networks"]
    if key in ("subnet", "port"):
        values = {**values, "network_id": home["id"]}
    answer = network.call("POST", f"/v2.0/{path}", {key: values})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("path", "key", "values"),
    [
        ("networks", "network", {"router:external": True}),
        ("networks", "network", {"port_security_enabled": False}),
        ("networks", "network", {"provider:network_type": "vlan"}),
        ("ports", "port", {"network_id": NOBODY, "allowed_address_pairs": [{}]}),
        ("ports", "port", {"network_id": NOBODY, "binding:vnic_type": "direct"}),
        ("ports", "port", {"network_id": NOBODY, "port_security_enabled": False}),
        ("security-groups", "security_group", {"stateful": False}),
        ("vpcs", "vpc", {"name": "v", "cidrv4": "10.0.0.0/8", "external_network_id": NOBODY}),
    ],
)
def test_what_is_not_offered_is_refused_by_name(
    network: OneRegion, path: str, key: str, values: dict[str, Any]
) -> None:
    refused = network.call("POST", f"/v2.0/{path}", {key: values})
    assert refused.status_code == 400
    assert f"Invalid input for {list(values)[-1]}." in refused.json["NeutronError"]["message"]
