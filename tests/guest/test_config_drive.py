from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from hanok.guest import config_drive
from hanok.guest.config_drive import GuestConfig, GuestNic

SERVER = "3f2c1a50-1111-4000-8000-0000000000aa"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB user@host"
NIC = GuestNic(
    mac="fa:16:3e:00:00:01",
    port_id="port-1",
    network_id="net-1",
    device="tap01",
    address="192.168.0.7",
    prefix=24,
    gateway="192.168.0.1",
    dns=("8.8.8.8",),
    mtu=1450,
)
CONFIG = GuestConfig(
    server_id=SERVER,
    name="웹 Web_1",
    project_id="project-1",
    availability_zone="kr-pub-a",
    public_keys={"mine": KEY},
    metadata={"역할": "웹"},
    user_data=b"#!/bin/sh\n\xff\x00",
    admin_pass="s3cret",
    networks=(NIC,),
    random_seed=bytes(range(32)),
)


def read(config: GuestConfig, name: str, version: str = "latest") -> Any:
    return json.loads(config_drive.files(config)[f"openstack/{version}/{name}"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web-1", "web-1"),
        ("Web_1.example com", "web-1-example-com"),
        ("웹서버", f"Server-{SERVER}"),
        ("웹서버-1", "1"),
        ("", f"Server-{SERVER}"),
        ("...", f"Server-{SERVER}"),
        ("-web-", "web"),
        ("a!@#$b", "ab"),
        ("é", f"Server-{SERVER}"),
        ("x" * 70, "x" * 63),
        ("x" * 62 + "-y", "x" * 62),
        ("한" * 63 + "tail", "tail"),
        ("two\nlines\ttabs", "two-lines-tabs"),
    ],
)
def test_hostname_follows_nova(name: str, expected: str) -> None:
    assert config_drive.hostname(name, SERVER) == expected


def test_meta_data_has_novas_fields() -> None:
    meta = read(CONFIG, "meta_data.json")
    assert meta == {
        "uuid": SERVER,
        "name": "웹 Web_1",
        "hostname": "web-1",
        "launch_index": 0,
        "availability_zone": "kr-pub-a",
        "project_id": "project-1",
        "devices": [],
        "dedicated_cpus": [],
        "meta": {"역할": "웹"},
        "public_keys": {"mine": KEY},
        "keys": [{"name": "mine", "type": "ssh", "data": KEY}],
        "admin_pass": "s3cret",
        "random_seed": base64.b64encode(bytes(range(32))).decode(),
    }


def test_what_is_absent_is_left_out() -> None:
    bare = GuestConfig(server_id=SERVER, name="a", project_id="p")
    meta = read(bare, "meta_data.json")
    assert not {"meta", "public_keys", "keys", "admin_pass", "random_seed"} & meta.keys()
    assert not [path for path in config_drive.files(bare) if "user" in path]
    assert read(bare, "network_data.json") == {"links": [], "networks": [], "services": []}


def test_a_given_hostname_wins() -> None:
    assert read(replace(CONFIG, hostname="db"), "meta_data.json")["hostname"] == "db"


def test_user_data_is_handed_on_byte_for_byte() -> None:
    drive = config_drive.files(CONFIG)
    assert drive["openstack/latest/user_data"] == b"#!/bin/sh\n\xff\x00"


def test_every_version_that_guests_look_for_is_there() -> None:
    drive = config_drive.files(CONFIG)
    for version in ("2012-08-10", "2015-10-15", "2018-08-27", "2020-10-14", "latest"):
        assert drive[f"openstack/{version}/meta_data.json"]
        assert drive[f"openstack/{version}/network_data.json"]
        assert drive[f"openstack/{version}/vendor_data.json"] == b"{}"
    assert json.loads(drive["ec2/latest/meta-data.json"])["instance-id"] == SERVER


def test_network_data_asks_for_dhcp() -> None:
    twin = replace(NIC, mac="fa:16:3e:00:00:02", port_id="port-2", device="tap02", mtu=1500)
    data = read(replace(CONFIG, networks=(NIC, twin)), "network_data.json")
    assert data["links"][0] == {
        "id": "tap01",
        "vif_id": "port-1",
        "type": "bridge",
        "mtu": 1450,
        "ethernet_mac_address": "fa:16:3e:00:00:01",
    }
    assert data["links"][1]["mtu"] == 1500
    assert data["networks"] == [
        {"id": "network0", "link": "tap01", "network_id": "net-1", "type": "ipv4_dhcp"},
        {"id": "network1", "link": "tap02", "network_id": "net-1", "type": "ipv4_dhcp"},
    ]
    assert data["services"] == [{"type": "dns", "address": "8.8.8.8"}]


def test_network_data_of_a_subnet_without_dhcp_tells_the_address() -> None:
    data = read(replace(CONFIG, networks=(replace(NIC, dhcp=False),)), "network_data.json")
    (network,) = data["networks"]
    assert network["type"] == "ipv4"
    assert (network["ip_address"], network["netmask"]) == ("192.168.0.7", "255.255.255.0")
    assert [route["gateway"] for route in network["routes"]] == ["192.168.0.1"]


def test_secrets_stay_out_of_repr() -> None:
    shown = repr(CONFIG)
    assert "s3cret" not in shown
    assert "#!/bin/sh" not in shown


def test_iso_is_labelled_and_quick() -> None:
    image = config_drive.iso(config_drive.files(CONFIG))
    assert image[16 * 2048 + 40 : 16 * 2048 + 72].rstrip() == b"config-2"
    assert len(image) < 1 << 20
