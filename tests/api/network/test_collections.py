from __future__ import annotations

import pytest

from hanok.api.network.service import COLLECTIONS
from hanok.api.network.vpcs import SUBNETS, TABLES, VPCS
from tests.api.one_region import OneRegion
from tests.region_store import MINE


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 1),
        ("name=Default-Network", 1),
        ("name=other", 0),
        ("name=other&name=Default-Network", 1),
        ("status=ACTIVE&shared=False&router:external=false&admin_state_up=True", 1),
        ("shared=true", 0),
        (f"tenant_id={MINE}&project_id={MINE}", 1),
        ("router:external=True", 0),
        ("unknown=1", 1),
        ("limit=1", 1),
        ("sort_key=name&sort_dir=desc", 1),
        ("shared=False&shared=True", 1),
        ("mtu=1450", 1),
    ],
)
def test_every_field_filters(network: OneRegion, query: str, count: int) -> None:
    assert len(network.get(f"/v2.0/networks?{query}")["networks"]) == count


def test_fields_picks_what_is_shown(network: OneRegion) -> None:
    [one] = network.get("/v2.0/networks?fields=id&fields=name")["networks"]
    assert set(one) == {"id", "name"}
    single = network.get(f"/v2.0/networks/{one['id']}?fields=status")["network"]
    assert single == {"status": "ACTIVE"}


def test_ports_are_found_by_address_and_device(network: OneRegion, port: str) -> None:
    shown = network.get(f"/v2.0/ports/{port}")["port"]
    address = shown["fixed_ips"][0]["ip_address"]
    for query, count in (
        (f"fixed_ips=ip_address={address}", 1),
        ("fixed_ips=ip_address=10.0.0.1", 0),
        ("device_id=nobody", 0),
        ("device_id=&name=&status=DOWN", 1),
        (f"id={port}&id=nobody", 1),
        (f"mac_address={shown['mac_address']}&device_owner=", 1),
        ("status=ACTIVE", 0),
        (f"network_id={shown['network_id']}", 1),
    ):
        assert len(network.get(f"/v2.0/ports?{query}")["ports"]) == count, query


LISTS = ("networks", "subnets", "ports", "security-groups", "security-group-rules", "vpcs")


@pytest.mark.parametrize("path", [*LISTS, "vpcsubnets", "routingtables"])
def test_every_list_is_walked_by_its_links(network: OneRegion, port: str, path: str) -> None:
    for number in (1, 2):
        body = {"vpc": {"name": f"v{number}", "cidrv4": "10.0.0.0/16"}}
        vpc = network.call("POST", "/v2.0/vpcs", body).json["vpc"]["id"]
        subnet = {"vpc_id": vpc, "cidr": "10.0.0.0/24", "name": "s"}
        assert network.call("POST", "/v2.0/vpcsubnets", {"vpcsubnet": subnet}).status_code == 201
        for kind, more in (
            ("port", {"network_id": vpc}),
            ("security_group", {"name": f"g{number}"}),
        ):
            root = f"/v2.0/{kind.replace('_', '-')}s"
            assert network.call("POST", root, {kind: more}).status_code == 201
    name = path.replace("-", "_")
    every = [one["id"] for one in network.get(f"/v2.0/{path}")[name]]
    assert len(every) >= 3
    seen: list[str] = []
    following, back = f"{network.root}/v2.0/{path}?limit=1&fields=id", ""
    while following:
        page = network.get(following.removeprefix(network.root))
        seen += [one["id"] for one in page[name]]
        links = {link["rel"]: link["href"] for link in page[f"{name}_links"]}
        back = links["previous"]
        following = links.get("next", "")
    assert seen == every
    back_again: list[str] = []
    while back:
        page = network.get(back.removeprefix(network.root))
        back_again = [one["id"] for one in page[name]] + back_again
        links = {link["rel"]: link["href"] for link in page[f"{name}_links"]}
        back = links.get("previous", "")
    assert back_again == every


def test_nhns_lists_name_their_links_for_its_provider_too(network: OneRegion) -> None:
    for path, name in (
        ("vpcs", "networks"),
        ("routingtables", "networks"),
        ("vpcsubnets", "subnets"),
    ):
        page = network.get(f"/v2.0/{path}?limit=1")
        assert page[f"{name}_links"] == page[f"{path}_links"]
        assert page[f"{name}_links"][0]["rel"] == "next"


@pytest.mark.parametrize("path", [*LISTS, "vpcsubnets", "routingtables"])
def test_every_list_is_sorted_by_what_it_shows(network: OneRegion, port: str, path: str) -> None:
    known = (*COLLECTIONS, VPCS, SUBNETS, TABLES)
    collection = next(one for one in known if one.root == f"/v2.0/{path}")
    for key in collection.sorts:
        page = network.get(f"/v2.0/{path}?sort_key={key}&sort_dir=desc")[collection.plural]
        assert page
        assert key in page[0]


def test_a_marker_need_not_pass_the_filters(network: OneRegion) -> None:
    rules = network.get("/v2.0/security-group-rules")["security_group_rules"]
    marker = rules[0]["id"]
    direction = rules[1]["direction"]
    assert rules[0]["direction"] != direction
    page = network.get(f"/v2.0/security-group-rules?marker={marker}&direction={direction}")
    assert [one["id"] for one in page["security_group_rules"]] == [rules[1]["id"]]


def test_pages_follow_the_marker(network: OneRegion) -> None:
    rules = [r["id"] for r in network.get("/v2.0/security-group-rules")["security_group_rules"]]
    page = network.get(f"/v2.0/security-group-rules?limit=1&marker={rules[0]}")
    assert [r["id"] for r in page["security_group_rules"]] == rules[1:2]


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ("limit=x", 400, "BadRequest"),
        ("limit=-1", 400, "BadRequest"),
        ("marker=nobody", 404, "NetworkNotFound"),
        ("name=%00", 400, "HTTPBadRequest"),
        ("sort_key=name", 400, "HTTPBadRequest"),
        ("sort_key=color&sort_dir=asc", 400, "HTTPBadRequest"),
        ("admin_state_up=perhaps", 400, "InvalidInput"),
    ],
)
def test_a_bad_query_is_refused(network: OneRegion, query: str, status: int, kind: str) -> None:
    result = network.call("GET", f"/v2.0/networks?{query}")
    assert (result.status_code, result.json["NeutronError"]["type"]) == (status, kind)
