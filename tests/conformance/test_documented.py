from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.conformance.documented import ERRATA, MISSING, breaches, located, reached
from tests.conformance.guide import operations

WITH_FIELDS = [key for key, one in operations().items() if one.fields()]
DETAIL = operations()["GET /servers/detail"]


def shown(key: str) -> Any:
    return copy.deepcopy(operations()[key].answer.example)


@pytest.mark.parametrize("key", WITH_FIELDS)
def test_the_guide_s_own_example_keeps_its_table(key: str) -> None:
    found = breaches(operations()[key], shown(key))
    left_out = ["server.NHN-EXT-ATTR:ephemeral_disk_size: it is missing"]
    of_one = key in ("GET /servers/{serverId}", "PUT /servers/{serverId}")
    assert found == (left_out if of_one else [])


@pytest.mark.parametrize("key", WITH_FIELDS)
def test_each_field_that_is_not_there_is_seen(key: str) -> None:
    operation = operations()[key]
    for field in operation.fields():
        path, _ = located(operation, field)
        answer = shown(key)
        for holder in reached(answer, path[:-1]):
            for one in holder if isinstance(holder, list) else [holder]:
                one.pop(next(iter(one)) if path[-1].startswith('"') else path[-1], None)
        assert any(
            text.startswith(f"{field.name}: ")
            for text in breaches(operation, answer, at_times=True)
        ), field.name


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "AAF2778B-EA03-4CCC-8B1B-92F4B686C3EC"),
        ("name", 7),
        ("name", None),
        ("updated", "2020-02-25T01:22:24"),
        ("updated", "2020-02-25T01:22:24.000000Z"),
        ("OS-SRV-USG:launched_at", "2020-02-25T01:22:23Z"),
        ("OS-EXT-STS:power_state", True),
        ("OS-EXT-STS:power_state", "1"),
        ("links", "x"),
        ("links", ["x"]),
        ("security_groups", []),
        ("metadata", None),
        ("status", "SLEEPING"),
        ("status", "active"),
        ("addresses", {}),
        ("hostId", None),
    ],
)
def test_what_is_not_of_its_type_or_format_is_seen(field: str, value: Any) -> None:
    answer = shown("GET /servers/detail")
    answer["servers"][0][field] = value
    assert breaches(DETAIL, answer)


@pytest.mark.parametrize(("field", "value"), [("version", "4"), ("OS-EXT-IPS:type", "dhcp")])
def test_what_is_wrong_below_a_network_s_name_is_seen(field: str, value: Any) -> None:
    answer = shown("GET /servers/detail")
    answer["servers"][0]["addresses"]["vpc2"][0][field] = value
    [text] = breaches(DETAIL, answer)
    assert repr(value) in text


def test_every_item_is_looked_at() -> None:
    answer = shown("GET /flavors/detail")
    answer["flavors"][1]["rxtx_factor"] = 1
    assert breaches(operations()["GET /flavors/detail"], answer) == [
        "flavors.rxtx_factor: 1 is no Float"
    ]


def test_a_blank_value_is_one_only_where_the_guide_shows_it() -> None:
    answer = shown("GET /flavors/detail")
    answer["flavors"][0]["disk"] = ""
    assert breaches(operations()["GET /flavors/detail"], answer) == [
        "flavors.disk: '' is no Integer"
    ]


def test_what_shows_at_times_is_asked_for_on_request() -> None:
    operation = operations()["POST /os-keypairs"]
    assert breaches(operation, shown("POST /os-keypairs"), at_times=True) == [
        "keypair.private_key: it is missing"
    ]


def test_each_erratum_is_one() -> None:
    operation = operations()["GET /os-availability-zone"]
    for name, (place, kind) in ERRATA.items():
        [field] = [one for one in operation.fields() if one.name == name]
        assert set(reached(operation.answer.example, field.path)) == {MISSING}
        assert located(operation, field) == (tuple(place.split(".")), kind)
