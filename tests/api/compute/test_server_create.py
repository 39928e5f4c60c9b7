from __future__ import annotations

from typing import Any

import pytest

from hanok.model import errors
from hanok.store import images, network_quotas, quotas
from tests.operations.world import IMAGE, PROJECT, World, endpoint_of
from tests.region_store import an_image, uuid

NONE = "00000000-0000-4000-8000-000000000000"
QUEUED = uuid(8)
ROOT = {
    "source_type": "image",
    "uuid": IMAGE,
    "boot_index": 0,
    "volume_size": 10,
    "destination_type": "volume",
}


def post(world: World, **server: Any) -> Any:
    body = {"name": "x", "imageRef": IMAGE, "flavorRef": world.flavor(local=False), **server}
    body = {key: value for key, value in body.items() if value is not ...}
    return endpoint_of("POST", "/v2/{tenant}/servers").handler(world.call({"server": body}))


@pytest.mark.parametrize(
    ("server", "kind", "text"),
    [
        ({"block_device_mapping_v2": ...}, errors.Forbidden, "Only volume-backed servers are"),
        (
            {"block_device_mapping_v2": [{**ROOT, "destination_type": "local"}]},
            errors.Forbidden,
            "Only volume-backed servers are allowed for flavors with zero disk.",
        ),
        ({"flavorRef": NONE}, errors.Invalid, f"Flavor {NONE} could not be found."),
        (
            {"imageRef": NONE, "block_device_mapping_v2": [{**ROOT, "uuid": None}]},
            errors.Invalid,
            "Can not find requested image",
        ),
        (
            {"imageRef": NONE, "block_device_mapping_v2": [ROOT]},
            errors.Invalid,
            "Can not find requested image",
        ),
        ({"key_name": "nobody"}, errors.Invalid, "Invalid key_name provided."),
        ({"min_count": 2, "max_count": 1}, errors.Invalid, "min_count must be <= max_count"),
        ({"max_count": 11}, errors.Invalid, "maximum of 10"),
        ({"min_count": 0}, errors.Invalid, "min_count"),
        ({"min_count": 2**63}, errors.Invalid, "min_count"),
        ({"user_data": "!!"}, errors.Invalid, "User data needs to be valid base 64."),
        ({"user_data": "A" * 65_536}, errors.Invalid, "at most 65535"),
        ({"availability_zone": "mars"}, errors.Invalid, "requested availability zone is not"),
        ({"networks": [{"uuid": NONE}]}, errors.Invalid, f"Network {NONE} could not be found."),
        ({"networks": [{"subnet": NONE}]}, errors.Invalid, f"Subnet {NONE} could not be found."),
        ({"networks": [{"port": NONE}]}, errors.Invalid, f"Port id {NONE} could not be found."),
        ({"networks": [{"fixed_ip": "10.9.9.9"}]}, errors.Invalid, "Fixed IP 10.9.9.9"),
        ({"networks": [{"fixed_ip": "nonsense"}]}, errors.Invalid, "fixed_ip"),
        ({"networks": [{}]}, errors.Invalid, "one of uuid, subnet, port or fixed_ip"),
        ({"security_groups": [{"name": "no"}]}, errors.Invalid, "Security group no not found"),
        ({"metadata": {"k" * 256: "v"}}, errors.Invalid, "metadata"),
        ({"metadata": {"k": "v" * 256}}, errors.Invalid, "metadata"),
        ({"metadata": {"a/b": "v"}}, errors.Invalid, "'a/b' does not fit"),
        ({"metadata": {f"k{n}": "" for n in range(129)}}, errors.Forbidden, "metadata items"),
        ({"name": ""}, errors.Invalid, "name"),
        ({"name": "   "}, errors.Invalid, "name"),
        ({"name": "two\nlines"}, errors.Invalid, "name. It has a character that cannot be printed"),
        ({"name": "x" * 256}, errors.Invalid, "name"),
        ({"name": 7}, errors.Invalid, "name"),
        ({"block_device_mapping_v2": [{**ROOT, "volume_size": 9}]}, errors.Invalid, "at least 10"),
        ({"block_device_mapping_v2": [{**ROOT, "volume_size": 0}]}, errors.Invalid, "non-zero"),
        (
            {"block_device_mapping_v2": [{**ROOT, "volume_type": "x"}]},
            errors.Invalid,
            "Volume type x could not be found.",
        ),
        ({"block_device_mapping_v2": [{**ROOT, "boot_index": 1}]}, errors.Invalid, "Boot sequence"),
        (
            {"block_device_mapping_v2": [{**ROOT, "source_type": "blank"}]},
            errors.Invalid,
            "Boot sequence",
        ),
        (
            {"block_device_mapping_v2": [{**ROOT, "source_type": "tape"}]},
            errors.Invalid,
            "source_type",
        ),
        (
            {"block_device_mapping_v2": [{**ROOT, "delete_on_termination": "perhaps"}]},
            errors.Invalid,
            "delete_on_termination",
        ),
        (
            {
                "block_device_mapping_v2": [
                    {**ROOT, "nhn_encryption": {"skm_appkey": "a", "skm_key_id": "b"}}
                ]
            },
            errors.NotImplemented_,
            "nhn_encryption",
        ),
        (
            {"block_device_mapping_v2": [{**ROOT, "nhn_encryption": {"skm_appkey": "a"}}]},
            errors.Invalid,
            "skm_key_id",
        ),
    ],
)
def test_each_rule_says_what_is_wrong(
    world: World, server: dict[str, Any], kind: type[errors.HanokError], text: str
) -> None:
    server.setdefault("block_device_mapping_v2", [ROOT])
    with pytest.raises(kind) as caught:
        post(world, **server)
    assert text in caught.value.message
    world.assert_nothing_is_left()


@pytest.mark.parametrize(
    "server",
    [
        {"networks": "auto"},
        {"networks": "none"},
        {"networks": []},
        {"config_drive": False, "user_data": ""},
        {"os:scheduler_hints": {"group": NONE}, "personality": [], "tags": ["x"], "unknown": {}},
        {"block_device_mapping_v2": [{**ROOT, "delete_on_termination": "on"}]},
        {"block_device_mapping_v2": [{**ROOT, "delete_on_termination": "yes"}]},
        {"imageRef": ""},
        {"imageRef": ...},
        {"user_data": "IyEvYmlu\nL3NoCg=="},
        {"adminPass": "given"},
    ],
)
def test_what_clients_send_besides_the_guide_is_accepted(
    world: World, server: dict[str, Any]
) -> None:
    server.setdefault("block_device_mapping_v2", [ROOT])
    assert post(world, **server).status == 202
    world.settle()


def test_an_address_that_is_asked_for_is_given_and_cannot_be_taken_twice(world: World) -> None:
    nic = [{"fixed_ip": "192.168.0.77"}]
    assert post(world, networks=nic, block_device_mapping_v2=[ROOT]).status == 202
    world.settle()
    with pytest.raises(errors.Invalid, match="already in use"):
        post(world, networks=nic, block_device_mapping_v2=[ROOT])


def test_a_quota_counts_what_is_there(world: World) -> None:
    for _ in range(10):
        post(world, block_device_mapping_v2=[ROOT])
    with pytest.raises(errors.QuotaExceeded) as caught:
        post(world, block_device_mapping_v2=[ROOT])
    assert caught.value.message == (
        "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"
    )
    world.settle()


def test_the_quota_of_ports_bounds_how_many_servers_are_made(world: World) -> None:
    with world.store.write() as tx:
        used = network_quotas.used(tx, PROJECT, "port")
        network_quotas.change(tx, PROJECT, {"port": used + 2})
    post(world, block_device_mapping_v2=[ROOT], min_count=1, max_count=3)
    with world.store.write() as tx:
        assert quotas.usage_of(tx, PROJECT).instances == 2
        network_quotas.change(tx, PROJECT, {"port": used})
    with pytest.raises(errors.QuotaExceeded, match="Maximum number of ports exceeded"):
        post(world, block_device_mapping_v2=[ROOT])
    with world.store.read() as reader:
        assert quotas.usage_of(reader, PROJECT).instances == 2


def test_block_storage_beside_the_root_disk_is_made_and_attached(world: World) -> None:
    blank = {"source_type": "blank", "destination_type": "volume", "volume_size": 3}
    copy = {**ROOT, "boot_index": 1, "volume_size": 11, "delete_on_termination": True}
    answer = post(world, block_device_mapping_v2=[blank, copy, ROOT])
    server_id = answer.body["server"]["id"]
    world.settle()
    assert world.reality()["disks"] == 3
    endpoint = endpoint_of("GET", "/v2/{tenant}/servers/{server}/os-volume_attachments")
    listed = endpoint.handler(world.call(server=server_id)).body["volumeAttachments"]
    assert [one["device"] for one in listed] == ["/dev/vda", "/dev/vdb", "/dev/vdc"]
    world.delete(server_id)
    world.settle()
    kept = world.rows()["volumes"]
    assert kept == 2, "only what is deleted with the server goes with it"


@pytest.mark.parametrize(
    ("device", "text"),
    [
        ({"source_type": "blank", "destination_type": "volume"}, "need to have non-zero size"),
        ({"source_type": "blank", "destination_type": "local", "volume_size": 1}, "'volume'"),
        ({**ROOT, "boot_index": 1, "uuid": NONE}, "Can not find requested image"),
        ({**ROOT, "boot_index": -1, "uuid": None}, "need an image"),
        ({**ROOT, "boot_index": 1, "volume_type": "x"}, "Volume type x could not be found."),
        ({**ROOT, "boot_index": 0}, "Boot sequence"),
    ],
)
def test_odd_block_storage_beside_the_root_disk_is_refused(
    world: World, device: dict[str, Any], text: str
) -> None:
    with pytest.raises(errors.HanokError) as caught:
        post(world, block_device_mapping_v2=[ROOT, device])
    assert text in caught.value.message


@pytest.mark.parametrize(
    "server",
    [
        {"imageRef": QUEUED},
        {"block_device_mapping_v2": [{**ROOT, "uuid": QUEUED}]},
        {"block_device_mapping_v2": [ROOT, {**ROOT, "boot_index": 1, "uuid": QUEUED}]},
    ],
    ids=["imageRef", "root", "further"],
)
def test_an_image_without_data_yet_makes_no_disk(world: World, server: dict[str, Any]) -> None:
    with world.store.write() as tx:
        images.add(tx, an_image(8, status="queued"))
    with pytest.raises(errors.Invalid, match=rf"Image {QUEUED} is not active\."):
        post(world, **{"block_device_mapping_v2": [ROOT], **server})
