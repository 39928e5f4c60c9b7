from __future__ import annotations

from hanok.model.network_quota import NetworkQuota, OverQuota


def test_the_defaults_are_neutrons() -> None:
    quota = NetworkQuota()
    assert (quota.network, quota.subnet, quota.port) == (100, 100, 500)
    assert (quota.security_group, quota.security_group_rule) == (10, 100)


def test_what_is_full_is_named() -> None:
    error = OverQuota({"port", "network"})
    assert error.message == "Quota exceeded for resources: ['network', 'port']."
