from __future__ import annotations

from typing import Any

import pytest

from hanok.api.image.attributes import (
    ATTRIBUTES,
    LONGEST,
    MOST,
    READ_ONLY,
    check_tags,
    check_writable,
    read_attribute,
    read_properties,
    read_tag,
)
from hanok.api.image.view import view_image
from hanok.model.errors import Forbidden, HanokError, Invalid, TooLarge
from tests.region_store import an_image

NHN = {
    "os_type": "windows",
    "os_distro": "ubuntu",
    "os_version": "22.04",
    "os_architecture": "amd64",
    "hypervisor_type": "qemu",
    "login_username": "ubuntu",
    "description": "도움말",
}


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("name", None, "name"),
        ("name", "이미지" * 85, "name"),
        ("visibility", "community", "visibility"),
        ("protected", True, "protected"),
        ("disk_format", "qcow2", "disk_format"),
        ("disk_format", None, "disk_format"),
        ("container_format", "bare", "container_format"),
        ("min_disk", 0, "min_disk_gib"),
        ("min_ram", 2**31 - 1, "min_ram_mib"),
    ],
)
def test_what_a_member_may_write(name: str, value: Any, field: str) -> None:
    assert read_attribute(name, value, is_admin=False) == (field, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", 5),
        ("name", "x" * (LONGEST + 1)),
        ("visibility", "hidden"),
        ("visibility", None),
        ("protected", "true"),
        ("protected", 1),
        ("disk_format", "vmdk"),
        ("container_format", "ovf"),
        ("min_disk", -1),
        ("min_disk", "10"),
        ("min_disk", True),
        ("min_disk", 1.5),
        ("min_ram", 2**31),
        ("tags", "lts"),
        ("tags", ["lts", 5]),
        ("tags", [""]),
        ("tags", ["x" * (LONGEST + 1)]),
    ],
)
def test_a_value_of_another_kind_is_refused_with_the_attributes_name(name: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        read_attribute(name, value, is_admin=True)
    assert name.removesuffix("s") in refused.value.message.lower()


@pytest.mark.parametrize(("name", "value"), [("visibility", "public"), ("owner", "b" * 32)])
def test_to_publish_and_to_give_away_is_an_administrators(name: str, value: str) -> None:
    field, read = read_attribute(name, value, is_admin=True)
    assert (field, read) == (ATTRIBUTES[name][0], value)
    with pytest.raises(Forbidden):
        read_attribute(name, value, is_admin=False)


@pytest.mark.parametrize("owner", ["", "x" * 33])
def test_an_owner_is_a_projects_id_or_nobody(owner: str) -> None:
    assert read_attribute("owner", None, is_admin=True) == ("project_id", None)
    with pytest.raises(Invalid, match="owner"):
        read_attribute("owner", owner, is_admin=True)


def test_tags_are_a_set_that_keeps_its_order() -> None:
    assert read_attribute("tags", ["b", "a", "b"], is_admin=False) == ("tags", ["b", "a"])
    most = [str(number) for number in range(MOST)]
    assert check_tags(most) == most
    assert read_tag("x" * LONGEST) == "x" * LONGEST
    with pytest.raises(TooLarge, match=f"Attempted: {MOST + 1}, Maximum: {MOST}"):
        read_attribute("tags", [*most, "one more"], is_admin=False)


def test_nhn_clouds_properties_are_kept_as_they_are() -> None:
    assert read_properties(NHN) == NHN


@pytest.mark.parametrize(
    ("values", "failure", "words"),
    [
        ({"os_version": 22}, Invalid, "os_version"),
        ({"os_version": None}, Invalid, "os_version"),
        ({"os_version": {"a": "b"}}, Invalid, "not of type 'string'"),
        ({"": "x"}, Invalid, "name"),
        ({"x" * (LONGEST + 1): "x"}, Invalid, "name"),
        ({"big": "x" * 65_536}, Invalid, "big"),
        ({"status": "active"}, Forbidden, "Attribute 'status' is read-only."),
        (dict.fromkeys(map(str, range(MOST + 1)), ""), TooLarge, f"Maximum: {MOST}"),
    ],
)
def test_a_property_that_cannot_be_kept_is_refused(
    values: dict[str, Any], failure: type[HanokError], words: str
) -> None:
    with pytest.raises(failure) as refused:
        read_properties(values)
    assert type(refused.value) is failure
    assert words in refused.value.message


def test_the_largest_properties_are_kept() -> None:
    values = dict.fromkeys(("x" * LONGEST, *map(str, range(MOST - 1))), "x" * 65_535)
    assert read_properties(values) == values


def test_every_attribute_that_is_shown_is_written_by_the_service_or_by_the_client() -> None:
    shown = set(view_image(an_image(1, properties={})))
    assert shown - READ_ONLY - ATTRIBUTES.keys() == {"id", "os_hidden"}
    assert not READ_ONLY & ATTRIBUTES.keys()
    for name in READ_ONLY:
        with pytest.raises(Forbidden, match="read-only"):
            check_writable(name)
    for name in (*ATTRIBUTES, *NHN):
        check_writable(name)
