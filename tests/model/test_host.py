from __future__ import annotations

import dataclasses

import pytest

from hanok.model.host import TRANSLATION_CACHE_MIB, Claim, Host
from hanok.store.region_tables import claims, hosts


def host(accel: str) -> Host:
    return Host("h", "here", "libvirt", accel, "up", 8, 8192, 100, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("accel", "mib"), [("tcg", TRANSLATION_CACHE_MIB), ("kvm", 0), ("none", 0), ("", 0)]
)
def test_a_domain_takes_a_translation_cache_under_tcg_only(accel: str, mib: int) -> None:
    assert host(accel).overhead_mib == mib


def test_it_has_the_columns_of_its_table_and_its_zones() -> None:
    names = {field.name for field in dataclasses.fields(Host)}
    assert names - {"zones"} == set(hosts.c.keys())
    assert host("kvm").zones == ()


def test_a_claim_has_the_amounts_of_its_table() -> None:
    names = {field.name for field in dataclasses.fields(Claim)}
    assert names == set(claims.c.keys()) - {"server_id", "host_id"}
