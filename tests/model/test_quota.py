from __future__ import annotations

from dataclasses import fields

from hanok.model.quota import Quota, Usage


def test_the_defaults_are_novas() -> None:
    quota = Quota()
    assert (quota.instances, quota.cores, quota.ram_mib) == (10, 20, 51_200)
    assert (quota.key_pairs, quota.metadata_items) == (100, 128)
    assert (quota.server_groups, quota.server_group_members) == (10, 10)
    assert (quota.injected_files, quota.floating_ips) == (5, -1)


def test_what_is_used_is_limited_under_the_same_name() -> None:
    assert {field.name for field in fields(Usage)} <= {field.name for field in fields(Quota)}
