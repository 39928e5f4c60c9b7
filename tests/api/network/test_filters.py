from __future__ import annotations

import pytest

from hanok.api._query import Query
from hanok.api.network import filters
from hanok.model.network import InvalidInput

ONE = {
    "id": "1",
    "name": "front",
    "shared": False,
    "mtu": 1450,
    "gateway_ip": None,
    "subnets": ["a", "b"],
    "fixed_ips": [
        {"subnet_id": "a", "ip_address": "10.0.0.3"},
        {"subnet_id": "b", "ip_address": "10.9.0.4"},
    ],
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("name=front", True),
        ("name=back&name=front", True),
        ("name=front&mtu=9000", False),
        ("name=", False),
        ("mtu=1450", True),
        ("gateway_ip=", True),
        ("gateway_ip=10.0.0.1", False),
        ("shared=False&shared=true", True),
        ("shared=0", True),
        ("shared=TRUE", False),
        ("subnets=b", True),
        ("subnets=c", False),
        ("color=red&limit=1&marker=9&fields=id&sort_key=id&sort_dir=x&page_reverse=1", True),
        ("fixed_ips=ip_address=10.0.0.3", True),
        ("fixed_ips=ip_address=10.0.0.4&fixed_ips=ip_address=10.9.0.4", True),
        ("fixed_ips=ip_address=10.0.0.3&fixed_ips=subnet_id=b", True),
        ("fixed_ips=ip_address=10.0.0.3&fixed_ips=subnet_id=c", False),
        ("fixed_ips=ip_address_substr=9.0", True),
        ("fixed_ips=ip_address_substr=9.9", False),
        ("fixed_ips=nonsense", False),
    ],
)
def test_what_a_query_finds(query: str, found: bool) -> None:
    assert filters.matches(filters.wanted(Query(query)), ONE) is found


@pytest.mark.parametrize("value", ["perhaps", "", "2"])
def test_a_truth_value_is_one(value: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be converted to boolean"):
        filters.matches({"shared": [value]}, ONE)


def test_the_store_is_given_what_it_can_apply() -> None:
    asked = filters.wanted(Query("name=a&shared=true&name=b"))
    assert filters.only(asked, frozenset({"name", "id"})) == {"name": ["a", "b"]}
