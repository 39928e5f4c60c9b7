from __future__ import annotations

from hanok.api.network import vpc_views
from hanok.api.network.vpc_views import Inside
from tests.store.network_rows import a_network, a_subnet

NETWORK = a_network(1)
SUBNET = a_subnet(2, NETWORK.id)
INSIDE = Inside(NETWORK, [SUBNET], {SUBNET.id: 3})


def test_a_subnets_free_addresses_are_counted_not_below_none() -> None:
    shown = vpc_views.vpc_subnet(SUBNET, INSIDE)
    assert shown["available_ip_count"] == 250
    assert shown["vpc"]["id"] == shown["vpc_id"] == NETWORK.id
    crowded = Inside(NETWORK, [SUBNET], {SUBNET.id: 300})
    assert vpc_views.vpc_subnet(SUBNET, crowded)["available_ip_count"] == 0


def test_a_vpc_shows_more_by_itself_than_in_a_list() -> None:
    listed, shown = vpc_views.vpc(NETWORK, INSIDE), vpc_views.vpc_detail(NETWORK, INSIDE)
    assert listed["create_time"] == "2023-11-14 22:13:20"
    assert set(shown) - set(listed) == {"routingtables", "subnets"}
    assert shown["subnets"] == [vpc_views.vpc_subnet(SUBNET, INSIDE)]


def test_a_routing_table_keeps_its_id() -> None:
    table = vpc_views.routing_table_detail(NETWORK, INSIDE)
    assert table["id"] == vpc_views.table_id(NETWORK.id) != vpc_views.table_id(SUBNET.id)
    assert (table["vpcs"], table["subnets"]) == ([NETWORK.id], [SUBNET.id])
    assert table["name"] == "vpc-00000000-0000"
