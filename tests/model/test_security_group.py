from __future__ import annotations

from hanok.model.security_group import SecurityGroup, let_out


def test_a_new_group_lets_everything_out() -> None:
    group = SecurityGroup("g", "p", "web", "", 5, 6)
    rule = let_out("r", group)
    assert (rule.id, rule.security_group_id, rule.project_id, rule.created_at) == ("r", "g", "p", 5)
    assert (rule.direction, rule.ethertype) == ("egress", "IPv4")
    narrowed = (rule.protocol, rule.port_range_min, rule.port_range_max, rule.remote_group_id)
    assert narrowed == (None, None, None, None)
    assert rule.remote_ip_prefix is None
