"""What `/v2` understands: everything that NHN Cloud's clients are known to send."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from hanok.api.dialects.nhn import NHN, read_create, read_update
from hanok.model.errors import Invalid
from hanok.model.server_create import BlockDevice, Nic, ServerCreate

LEAST = {"name": "web", "flavorRef": "f"}


def read(**more: Any) -> ServerCreate:
    return read_create(json.dumps({"server": {**LEAST, **more}}).encode())


def refused(**more: Any) -> str:
    with pytest.raises(Invalid) as caught:
        read(**more)
    return caught.value.message


def test_the_least_that_can_be_asked_for() -> None:
    assert read() == ServerCreate("web", "f", None)


def test_the_guide_s_own_request() -> None:
    device = {
        "source_type": "image",
        "uuid": "image",
        "boot_index": 0,
        "volume_size": 1000,
        "destination_type": "volume",
        "delete_on_termination": 1,
        "volume_type": "General SSD",
    }
    asked = read(
        imageRef="image",
        networks=[{"subnet": "s"}],
        block_device_mapping_v2=[device],
        key_name="mine",
        security_groups=[{"name": "default"}, {"name": "web"}, {"name": "default"}],
        user_data=base64.b64encode(b"#!/bin/sh").decode(),
        availability_zone="kr-pub-a",
        metadata={"a": "b", "a key:of-all_kinds. 1": "한글"},
        min_count="2",
        max_count=3,
        return_reservation_id="True",
    )
    assert asked == ServerCreate(
        name="web",
        flavor_id="f",
        image_id="image",
        networks=(Nic(subnet_id="s"),),
        block_devices=(BlockDevice("image", "volume", "image", 0, 1000, "General SSD", True),),
        key_name="mine",
        security_groups=("default", "web"),
        user_data=b"#!/bin/sh",
        availability_zone="kr-pub-a",
        metadata={"a": "b", "a key:of-all_kinds. 1": "한글"},
        min_count=2,
        max_count=3,
        return_reservation_id=True,
    )


def test_what_terraform_and_openstack_send_beside_it_is_understood_or_passed_over() -> None:
    asked = read(
        imageRef="",
        user_data="",
        config_drive=False,
        key_name=None,
        availability_zone="",
        networks=[{"uuid": "n", "port": "p", "fixed_ip": ""}],
        block_device_mapping_v2=[],
        adminPass="secret",
        personality=[{"path": "/x", "contents": ""}],
        accessIPv4="10.0.0.1",
        **{"OS-DCF:diskConfig": "AUTO", "os:scheduler_hints": {"group": "g"}},
    )
    assert asked == ServerCreate(
        "web", "f", None, networks=(Nic("n", None, "p", None),), admin_pass="secret"
    )
    assert read(flavorRef=42).flavor_id == "42"
    assert read(flavorRef="http://cloud/v2/p/flavors/f-1").flavor_id == "f-1"


@pytest.mark.parametrize(
    ("networks", "wanted"),
    [
        ("auto", None),
        ([], None),
        (None, None),
        ("none", ()),
        ([{"fixed_ip": "10.0.0.9"}], (Nic(address="10.0.0.9"),)),
        ([{"uuid": "a"}, {"port": "b"}], (Nic("a"), Nic(port_id="b"))),
    ],
)
def test_networks(networks: Any, wanted: Any) -> None:
    assert read(networks=networks).networks == wanted


LOCAL = {"source_type": "image", "destination_type": "local"}
BLANK = {"source_type": "blank", "destination_type": "volume"}


def test_a_disk_of_which_little_is_said() -> None:
    devices = read(
        block_device_mapping_v2=[
            {**LOCAL, "uuid": "i", "boot_index": "0"},
            {**BLANK, "volume_size": "5", "boot_index": -1},
            {**BLANK, "source_type": "snapshot", "uuid": "s", "boot_index": None},
            {**BLANK, "nhn_encryption": {"skm_appkey": "a", "skm_key_id": "k"}},
        ]
    ).block_devices
    assert devices == (
        BlockDevice("image", "local", "i", 0),
        BlockDevice("blank", "volume", None, -1, 5),
        BlockDevice("snapshot", "volume", "s"),
        BlockDevice("blank", "volume", encrypted=True),
    )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name. Value: . '' is too short"),
        ({"name": ""}, "name. Value: . '' is too short"),
        ({"name": "x" * 256}, "name"),
        ({"name": None}, "name"),
        ({"flavorRef": None}, "flavorRef"),
        ({"flavorRef": 1.5}, "flavorRef"),
        ({"imageRef": "x" * 256}, "imageRef"),
        ({"min_count": 0}, "min_count"),
        ({"min_count": "two"}, "min_count"),
        ({"max_count": True}, "max_count"),
        ({"max_count": ""}, "max_count. Value: . It is not an integer"),
        ({"block_device_mapping_v2": [{**BLANK, "volume_size": ""}]}, "volume_size"),
        ({"block_device_mapping_v2": [{**BLANK, "boot_index": ""}]}, "boot_index"),
        ({"max_count": 2**31}, "max_count"),
        ({"networks": "all"}, "'auto' or 'none'"),
        ({"networks": [{}]}, "one of uuid, subnet, port or fixed_ip"),
        ({"networks": ["n"]}, "networks"),
        ({"block_device_mapping_v2": [{**LOCAL, "source_type": "tape"}]}, "source_type"),
        ({"block_device_mapping_v2": [{**LOCAL, "destination_type": "nfs"}]}, "destination_type"),
        ({"block_device_mapping_v2": [{"destination_type": "local"}]}, "field 'source_type'"),
        ({"block_device_mapping_v2": [{"source_type": "image"}]}, "field 'destination_type'"),
        ({"block_device_mapping_v2": [{**LOCAL, "destination_type": None}]}, "destination_type"),
        ({"block_device_mapping_v2": [{**BLANK, "volume_size": -1}]}, "volume_size"),
        ({"block_device_mapping_v2": [{**BLANK, "boot_index": -2}]}, "boot_index"),
        ({"block_device_mapping_v2": [{**BLANK, "delete_on_termination": 2}]}, "on_termination"),
        (
            {"block_device_mapping_v2": [{**BLANK, "nhn_encryption": {"skm_appkey": "a"}}]},
            "skm_key_id",
        ),
        ({"security_groups": [{"name": ""}]}, "security_groups"),
        ({"security_groups": ["default"]}, "security_groups"),
        ({"user_data": "%%%"}, "base 64"),
        ({"user_data": "한글"}, "base 64"),
        ({"metadata": {"a": ["b"]}}, "metadata"),
        ({"metadata": {"a": None}}, "metadata"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {"a": True}}, "metadata"),
        ({"config_drive": "perhaps"}, "config_drive"),
        ({"return_reservation_id": "perhaps"}, "return_reservation_id"),
    ],
)
def test_what_is_wrong_is_named(more: dict[str, Any], words: str) -> None:
    assert words in refused(**more)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"server": null}', b'{"server": {}}'])
def test_a_body_that_is_no_request(body: bytes) -> None:
    for reader in (read_create, read_update):
        if (reader, body) != (read_update, b'{"server": {}}'):
            with pytest.raises(Invalid):
                reader(body)


@pytest.mark.parametrize(
    ("server", "wanted"),
    [({"name": " new "}, "new"), ({}, None), ({"accessIPv4": "x"}, None)],
)
def test_an_update_s_name(server: dict[str, Any], wanted: str | None) -> None:
    assert read_update(json.dumps({"server": server}).encode()) == wanted


@pytest.mark.parametrize("name", ["", "  ", "x" * 256, 5])
def test_an_update_s_wrong_name(name: Any) -> None:
    with pytest.raises(Invalid, match="name"):
        read_update(json.dumps({"server": {"name": name}}).encode())


def test_it_stands_at_v2_with_the_guide_s_rules() -> None:
    assert (NHN.name, NHN.root) == ("nhn", "/v2")
    rules = NHN.rules
    assert (rules.max_count, rules.linux_root_gib, rules.windows_root_gib) == (10, 10, 50)
    assert (rules.windows_ram_mib, rules.windows_name) == (2048, 15)


def test_a_name_that_is_null_is_refused() -> None:
    with pytest.raises(Invalid, match=r"server\.name\. Expected 'str', got 'null'"):
        read_update(b'{"server": {"name": null}}')
