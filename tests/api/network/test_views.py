from __future__ import annotations

from hanok.api.network import views
from hanok.model.port import FixedIp
from hanok.model.security_group import SecurityGroup, let_out
from tests.region_store import MINE, NOW
from tests.store.network_rows import a_network, a_port, a_subnet


def test_a_network_names_its_subnets() -> None:
    shown = views.network(a_network(1, shared=True), [a_subnet(2, "n"), a_subnet(3, "n")])
    assert shown["subnets"] == [a_subnet(2, "n").id, a_subnet(3, "n").id]
    assert (shown["shared"], shown["router:external"]) == (True, False)
    assert shown["tenant_id"] == shown["project_id"] == MINE
    assert shown["created_at"].endswith("Z")


def test_a_subnet_is_of_version_4() -> None:
    shown = views.subnet(a_subnet(2, "n", gateway_ip=None), None)
    assert (shown["ip_version"], shown["gateway_ip"], shown["network_id"]) == (4, None, "n")


def test_a_port_shows_addresses_and_groups() -> None:
    port = a_port(9, "n", fixed_ips=(FixedIp("s", "10.0.0.9"),), group_ids=("g",))
    shown = views.port(port, None)
    assert shown["fixed_ips"] == [{"subnet_id": "s", "ip_address": "10.0.0.9"}]
    assert shown["security_groups"] == ["g"]


def test_a_group_shows_its_rules() -> None:
    group = SecurityGroup("g", MINE, "web", "", NOW, NOW)
    rule = let_out("r", group)
    shown = views.security_group(group, [rule])
    assert shown["security_group_rules"] == [views.security_group_rule(rule, False)]
    assert shown["security_group_rules"][0]["direction"] == "egress"
