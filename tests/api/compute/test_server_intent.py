"""What a checked request becomes: ids that are chosen once, disks in order, a row to begin with."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hanok.api.compute.server_intent import Further, Place, Resolved, intent_of, row_of, shown
from hanok.api.compute.server_networks import Interface
from hanok.api.dialects.nhn import read_create
from hanok.model.create_rules import Root
from hanok.model.server_create import BlockDevice, ServerCreate
from tests.operations.world import PROJECT, USER, World
from tests.region_store import a_flavor, an_image, uuid

ALONE = Place("r-1", 0, 1)
NHN = {
    "os_type": "linux",
    "os_distro": "ubuntu",
    "os_version": "22.04",
    "os_architecture": "amd64",
    "login_username": "ubuntu",
    "hypervisor_type": "qemu",
    "description": "Ubuntu",
    "project_domain": "NORMAL",
    "monitoring_agent": "sysmon",
    "tc_env": "sysmon",
}


def asked(**more: Any) -> ServerCreate:
    return read_create(json.dumps({"server": {"name": "web", "flavorRef": "f", **more}}).encode())


@pytest.fixture
def found() -> Resolved:
    root = Root("volume", 20, "General SSD", delete_on_termination=True)
    return Resolved(
        flavor=a_flavor(2),
        image=an_image(1, properties={**NHN, "secret_of_the_owner": "x"}),
        root=root,
        zone="kr-pub-a",
        public_key="ssh-ed25519 A",
        group_ids=("g",),
        interfaces=(),
    )


def test_it_is_of_the_caller_and_as_large_as_its_flavor(world: World, found: Resolved) -> None:
    made = intent_of(world.call(), asked(key_name="mine", metadata={"a": "b"}), found, ALONE)
    assert (made.project_id, made.user_id) == (PROJECT, USER)
    assert (made.name, made.hostname, made.zone) == ("web", "web", "kr-pub-a")
    assert (made.vcpus, made.ram_mib) == (2, 2048)
    assert (made.key_name, made.public_key, made.metadata) == ("mine", "ssh-ed25519 A", {"a": "b"})
    assert (made.image_id, made.group_ids, made.launch_index) == (uuid(1), ("g",), 0)
    again = intent_of(world.call(), asked(), found, ALONE)
    assert again.server_id != made.server_id
    assert again.root.disk_id != made.root.disk_id


def test_several_of_one_request_are_numbered(world: World, found: Resolved) -> None:
    places = [Place("r-1", index, 3) for index in range(3)]
    made = [intent_of(world.call(), asked(max_count=3), found, place) for place in places]
    assert [one.name for one in made] == ["web-1", "web-2", "web-3"]
    assert [one.launch_index for one in made] == [0, 1, 2]
    assert len({one.server_id for one in made}) == 3


def test_the_root_disk_comes_first_and_each_further_one_has_the_next_letter(
    world: World, found: Resolved
) -> None:
    further = (
        Further(BlockDevice("blank", "volume", size_gib=5), None, "General HDD"),
        Further(
            BlockDevice("image", "volume", uuid(3), size_gib=9, delete_on_termination=True),
            an_image(3, disk_format="raw"),
            "General SSD",
        ),
    )
    root, blank, copy = intent_of(
        world.call(), asked(), replace(found, further=further), ALONE
    ).disks
    assert (root.device, root.boot_index, root.destination) == ("vda", 0, "volume")
    assert (root.size_gib, root.image_id, root.image_format) == (20, uuid(1), "qcow2")
    assert (root.volume_type, root.delete_on_termination) == ("General SSD", True)
    assert (blank.device, blank.boot_index, blank.size_gib) == ("vdb", None, 5)
    assert (blank.image_id, blank.image_format, blank.delete_on_termination) == (None, None, False)
    assert (copy.device, copy.image_id, copy.image_format) == ("vdc", uuid(3), "raw")
    assert (copy.volume_type, copy.delete_on_termination) == ("General SSD", True)
    assert len({root.disk_id, blank.disk_id, copy.disk_id}) == 3


def test_a_port_that_is_there_keeps_its_id_and_a_new_one_gets_one(
    world: World, found: Resolved
) -> None:
    interfaces = (
        Interface(network_id="n", subnet_id="s", port_id=None, address="10.0.0.9", existing=False),
        Interface(network_id="n", subnet_id=None, port_id="p", address=None, existing=True),
    )
    new, old = intent_of(world.call(), asked(), replace(found, interfaces=interfaces), ALONE).nics
    assert len(new.port_id) == 36
    assert (new.subnet_id, new.address, new.position, new.existing) == ("s", "10.0.0.9", 0, False)
    assert (old.port_id, old.position, old.existing) == ("p", 1, True)


def test_the_row_says_what_is_wanted_before_anything_is_made(world: World, found: Resolved) -> None:
    request = asked(config_drive="yes", metadata={"a": "b"}, key_name="mine")
    intent = intent_of(world.call(), request, found, ALONE)
    row = row_of(intent, request, found, ALONE, 7)
    assert (row.id, row.name, row.project_id) == (intent.server_id, "web", PROJECT)
    assert (row.vm_state, row.task_state, row.power_state) == ("building", "scheduling", 0)
    assert (row.host_id, row.launched_at, row.fault) == (None, None, None)
    assert (row.created_at, row.updated_at, row.reservation_id) == (7, 7, "r-1")
    assert (row.flavor_id, row.image_id, row.root_gib) == (found.flavor.id, uuid(1), 20)
    assert (row.config_drive, row.availability_zone, row.key_name) == ("True", "kr-pub-a", "mine")
    assert row.metadata == {"a": "b"}
    plain = row_of(intent_of(world.call(), asked(), found, ALONE), asked(), found, ALONE, 7)
    assert plain.config_drive == ""


def test_a_server_shows_of_its_image_what_the_guide_lists_and_no_more(found: Resolved) -> None:
    assert shown(found.image, 20) == {**NHN, "image_name": "image-1", "volume_size": "20"}
    bare = an_image(1, name=None, properties={"os_version": 22})
    assert shown(bare, 1) == {"os_version": "22", "image_name": "", "volume_size": "1"}
