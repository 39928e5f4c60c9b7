from __future__ import annotations

from typing import Any

import pytest

from hanok.api._links import Links
from hanok.api.compute.server_view import host_id, view_server
from hanok.model.server import ServerDetail
from tests.region_store import MINE, NOW, OTHER, a_server, uuid

LINKS = Links("http://test/kr1/compute", "v2", MINE)
GUIDE = {
    *("id", "name", "status", "updated", "created", "hostId", "addresses", "links", "key_name"),
    *("image", "flavor", "user_id", "tenant_id", "accessIPv4", "accessIPv6", "config_drive"),
    *("metadata", "OS-DCF:diskConfig", "OS-EXT-AZ:availability_zone", "OS-EXT-STS:vm_state"),
    *("OS-EXT-STS:task_state", "OS-EXT-STS:power_state", "OS-SRV-USG:launched_at"),
    *("OS-SRV-USG:terminated_at", "os-extended-volumes:volumes_attached"),
    "NHN-EXT-ATTR:ephemeral_disk_size",
}


def view(
    *,
    nics: list[dict[str, Any]] | None = None,
    groups: list[dict[str, Any]] | None = None,
    volumes: list[dict[str, Any]] | None = None,
    answering: bool = True,
    admin: bool = False,
    **changes: Any,
) -> dict[str, Any]:
    server = a_server(1, **changes)
    detail = ServerDetail(server, answering, nics or [], groups or [], volumes or [])
    return view_server(detail, LINKS, admin=admin)


def nic(position: int, network: str, address: str) -> dict[str, Any]:
    return {"position": position, "network": network, "mac": f"fa:{position}", "address": address}


def test_every_field_of_the_guide_is_there_and_no_other() -> None:
    assert set(view(vm_state="paused")) == GUIDE


@pytest.mark.parametrize(
    ("state", "there"),
    [
        ({"vm_state": "active"}, True),
        ({"vm_state": "building"}, True),
        ({"vm_state": "stopped"}, True),
        ({"vm_state": "resized"}, True),
        ({"vm_state": "active", "task_state": "rebooting"}, True),
        ({"vm_state": "paused"}, False),
        ({"vm_state": "suspended"}, False),
        ({"vm_state": "error"}, False),
        ({"vm_state": "deleted"}, False),
        ({"answering": False}, False),
    ],
)
def test_progress_is_shown_where_nova_shows_it(state: dict[str, Any], there: bool) -> None:
    assert ("progress" in view(**state)) is there


def test_addresses_stand_by_network_in_the_order_of_the_interfaces() -> None:
    shown = view(
        nics=[nic(2, "a", "10.0.0.4"), nic(1, "b", "10.0.1.3"), nic(0, "a", "10.0.0.3")],
        groups=[{"position": 0, "name": "default"}],
    )
    assert list(shown["addresses"]) == ["a", "b"]
    assert [one["addr"] for one in shown["addresses"]["a"]] == ["10.0.0.3", "10.0.0.4"]
    assert shown["addresses"]["b"] == [
        {
            "OS-EXT-IPS-MAC:mac_addr": "fa:1",
            "version": 4,
            "addr": "10.0.1.3",
            "OS-EXT-IPS:type": "fixed",
        }
    ]


def test_groups_are_named_once_and_only_where_there_is_an_interface() -> None:
    groups = [
        {"position": 1, "name": "db"},
        {"position": 0, "name": "web"},
        {"position": 1, "name": "web"},
    ]
    shown = view(nics=[nic(0, "a", "1.1.1.1")], groups=groups)
    assert shown["security_groups"] == [{"name": "web"}, {"name": "db"}]
    assert "security_groups" not in view()


def test_volumes_stand_in_the_order_of_their_devices() -> None:
    volumes = [{"id": device, "device": device} for device in ("vdb", "vdaa", "vda")]
    shown = view(volumes=volumes)["os-extended-volumes:volumes_attached"]
    assert shown == [{"id": "vda"}, {"id": "vdb"}, {"id": "vdaa"}]


def test_the_host_s_name_is_hidden_and_another_for_each_project() -> None:
    mine, again = view(host_id=uuid(9))["hostId"], host_id(MINE, uuid(9))
    assert mine == again
    assert len(mine) == 56
    assert uuid(9) not in mine
    assert host_id(OTHER, uuid(9)) != mine
    assert view(host_id=None)["hostId"] == ""


def test_a_server_says_over_its_image_what_it_wants_to_say_of_itself() -> None:
    shown = view(metadata={"os_type": "mine", "a": "b"}, image_metadata={"os_type": "linux"})
    assert shown["metadata"] == {"os_type": "mine", "a": "b"}


def test_a_server_without_an_image_shows_an_empty_one() -> None:
    assert view(image_id=None)["image"] == ""
    shown = view(image_id=uuid(5))["image"]
    assert shown["id"] == uuid(5)
    assert [link["rel"] for link in shown["links"]] == ["bookmark"]


FAULT = {"code": 500, "message": "No room.", "details": "place: /var/lib/x", "created_at": NOW}


def test_fault_56_a_tenant_reads_the_message_and_never_the_details() -> None:
    shown = view(vm_state="error", fault=FAULT)
    for_all = {"code": 500, "created": "2023-11-14T22:13:20Z", "message": "No room."}
    assert shown["fault"] == for_all
    for_admin = view(vm_state="error", fault=FAULT, admin=True)["fault"]
    assert for_admin == {**for_all, "details": "place: /var/lib/x"}
    bare = view(vm_state="error", fault={**FAULT, "details": ""}, admin=True)["fault"]
    assert bare == for_all, "nothing to tell is not told"


@pytest.mark.parametrize(
    ("state", "shown"), [("active", False), ("stopped", False), ("error", True), ("deleted", True)]
)
def test_a_fault_is_shown_of_a_server_in_error_and_of_a_deleted_one(
    state: str, shown: bool
) -> None:
    assert ("fault" in view(vm_state=state, fault=FAULT)) == shown


def test_moments_are_written_as_in_the_guide() -> None:
    shown = view(launched_at=NOW + 123_456, terminated_at=None, updated_at=NOW)
    assert shown["OS-SRV-USG:launched_at"] == "2023-11-14T22:13:20.123456"
    assert shown["OS-SRV-USG:terminated_at"] is None
    assert shown["updated"] == shown["created"] == "2023-11-14T22:13:20Z"
    assert view(launched_at=None)["OS-SRV-USG:launched_at"] is None
