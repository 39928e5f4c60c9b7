from __future__ import annotations

import pytest

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
        (f"network_id={shown['network_id']}", 1),
    ):
        assert len(network.get(f"/v2.0/ports?{query}")["ports"]) == count, query


def test_pages_follow_the_marker(network: OneRegion) -> None:
    rules = [r["id"] for r in network.get("/v2.0/security-group-rules")["security_group_rules"]]
    page = network.get(f"/v2.0/security-group-rules?limit=1&marker={rules[0]}")
    assert [r["id"] for r in page["security_group_rules"]] == rules[1:2]


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "marker=nobody", "name=%00"])
def test_a_bad_page_is_a_400(network: OneRegion, query: str) -> None:
    result = network.call("GET", f"/v2.0/networks?{query}")
    assert result.status_code == 400
    assert result.json["NeutronError"]["type"] == "HTTPBadRequest"
