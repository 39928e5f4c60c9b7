from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from tests.conformance.guide import operations
from tests.conformance.likeness import BESIDES, differences, form

SERVER = operations()["GET /servers/{serverId}"].answer.example["server"]


def changed(name: str, value: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SERVER), name: value}


def test_an_example_looks_like_itself() -> None:
    for operation in operations().values():
        example = operation.answer.example
        found = list(differences(example, copy.deepcopy(example)))
        # Its texts stand for fingerprints, keys and another kind of disk than ours.
        assert [text for text in found if "..." not in text and "/dev/sdb" not in text] == []


def test_a_server_of_another_project_looks_like_it() -> None:
    tenant, other = SERVER["tenant_id"], "0" * 32
    again = copy.deepcopy(SERVER)
    again["tenant_id"] = other
    again["links"] = [{**one, "href": one["href"].replace(tenant, other)} for one in again["links"]]
    again["addresses"] = {"Default-Network": [*again["addresses"]["vpc2"]] * 2}
    again["name"], again["updated"] = "another", "2026-12-31T00:00:00Z"
    assert list(differences(SERVER, {**again, **dict.fromkeys(BESIDES, "anything")})) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("updated", "2020-02-25T01:22:24"),
        ("updated", "2020-02-25T01:22:24.000000Z"),
        ("OS-SRV-USG:launched_at", "2020-02-25T01:22:23Z"),
        ("OS-SRV-USG:launched_at", None),
        ("OS-SRV-USG:terminated_at", ""),
        ("OS-EXT-STS:task_state", "deleting"),
        ("accessIPv4", "10.0.0.1"),
        ("accessIPv6", None),
        ("config_drive", False),
        ("config_drive", "True"),
        ("progress", "0"),
        ("progress", False),
        ("hostId", "abc"),
        ("user_id", SERVER["id"]),
        ("links", SERVER["links"][::-1]),
        ("links", SERVER["links"][:1]),
        ("image", ""),
        ("image", {**SERVER["image"], "links": SERVER["links"]}),
        ("flavor", {**SERVER["flavor"], "name": "m2.c1m2"}),
        ("addresses", {}),
        ("addresses", {"vpc2": []}),
        ("addresses", {"vpc2": [{**SERVER["addresses"]["vpc2"][0], "version": 6.0}]}),
        ("security_groups", ["default"]),
        ("metadata", {**SERVER["metadata"], "volume_size": 50}),
        ("unknown", 1),
    ],
)
def test_what_looks_otherwise_is_seen(name: str, value: Any) -> None:
    assert list(differences(SERVER, changed(name, value)))


def test_a_key_that_is_missing_is_seen() -> None:
    for name in SERVER:
        less = {key: value for key, value in SERVER.items() if key != name}
        assert list(differences(SERVER, less)) == [f".{name}: it is missing"]


@pytest.mark.parametrize(
    ("example", "like", "unlike"),
    [
        ("https://a.example/v2/x", "http://a.example/v2/x", "https://b.example/v2/x"),
        ("/dev/sdb", "/dev/vdc", "vdc"),
        ("172.16.0.40", "10.0.0.1", "::1"),
        ("50", "1000", "many"),
        ("", "", " "),
        ("x1.c32m256", "m2.c1m2", "small"),
        ("fa:16:3e:54:a7:64", "fa:16:3e:00:00:00", "52:54:00:00:00:00"),
    ],
)
def test_a_form_is_kept_to_the_letter(example: str, like: str, unlike: str) -> None:
    assert re.fullmatch(form(example), like)
    assert not re.fullmatch(form(example), unlike)


def test_other_texts_are_free() -> None:
    assert re.fullmatch(form("Web-Server"), "anything at all")
