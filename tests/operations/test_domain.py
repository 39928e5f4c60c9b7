from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hanok.drivers.base import Disk, DomainSpec, NetworkSpec, SubnetSpec
from hanok.model.errors import NotFound
from hanok.operations.domain import domain_spec, network_spec, serial
from hanok.operations.intent import ServerIntent
from hanok.store import networks
from hanok.store.database import Database
from tests.operations.test_create_server import INTENT
from tests.region_store import region_store, uuid
from tests.store.network_rows import a_network, a_subnet


def allocated(mac: str, mtu: int) -> dict[str, Any]:
    return {"mac": mac, "addresses": [["s", "10.0.0.9"]], "network": {"mtu": mtu}}


RESULTS: dict[str, Any] = {
    "place": {"host_id": "h", "zone": "kr-pub-a"},
    "allocate:p-1": allocated("fa:16:3e:00:00:01", 1450),
    "allocate:p-2": allocated("fa:16:3e:00:00:02", 9000),
    "plug:p-1": "tap1",
    "plug:p-2": "tap2",
    "make:d-root": {"disk_id": "d-root", "path": "/x/root", "format": "qcow2", "size_gib": 10},
    "make:d-own": {"disk_id": "d-own", "path": "/x/own", "format": "raw", "size_gib": 5},
}
SECRETS = {
    "user_data": base64.b64encode(b"#!/bin/sh\n").decode(),
    "admin_pass": "xyzzy",
    "random_seed": base64.b64encode(b"seed").decode(),
}


def spec(intent: ServerIntent = INTENT, secrets: dict[str, Any] = SECRETS) -> DomainSpec:
    return domain_spec(intent, RESULTS, secrets)


def test_disks_and_ports_are_those_that_the_steps_before_made() -> None:
    made = spec()
    assert (made.server_id, made.vcpus, made.ram_mib) == (INTENT.server_id, 1, 1024)
    assert [(disk.disk, disk.device, disk.boot_index) for disk in made.disks] == [
        (Disk("d-root", "/x/root", "qcow2", 10), "vda", 1),
        (Disk("d-own", "/x/own", "raw", 5), "vdb", None),
    ]
    assert [(port.port_id, port.mac, port.tap, port.mtu) for port in made.ports] == [
        ("p-1", "fa:16:3e:00:00:01", "tap1", 1450),
        ("p-2", "fa:16:3e:00:00:02", "tap2", 9000),
    ]


def test_the_guest_is_told_what_was_asked_for() -> None:
    intent = replace(
        INTENT, key_name="mine", public_key="ssh-ed25519 A", metadata={"a": "b"}, launch_index=3
    )
    guest = spec(intent).guest
    assert (guest.hostname, guest.availability_zone, guest.launch_index) == ("web", "kr-pub-a", 3)
    assert guest.public_keys == {"mine": "ssh-ed25519 A"}
    assert guest.metadata == {"a": "b"}
    assert (guest.user_data, guest.admin_pass, guest.random_seed) == (
        b"#!/bin/sh\n",
        "xyzzy",
        b"seed",
    )
    assert [(nic.mac, nic.device, nic.mtu, nic.dhcp) for nic in guest.networks] == [
        ("fa:16:3e:00:00:01", "tap1", 1450, True),
        ("fa:16:3e:00:00:02", "tap2", 9000, True),
    ]


def test_what_was_not_asked_for_is_not_told() -> None:
    guest = spec(secrets={"user_data": None, "admin_pass": None, "random_seed": None}).guest
    assert (guest.user_data, guest.admin_pass, guest.random_seed) == (None, None, b"")
    assert guest.public_keys == {}
    assert spec(replace(INTENT, key_name="no key of that name")).guest.public_keys == {}


def test_it_travels_through_the_journal_as_it_is() -> None:
    made = spec()
    assert msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(made)), type=DomainSpec) == (
        made
    )


def test_a_serial_is_as_long_as_virtio_shows_it() -> None:
    assert serial(uuid(7)) == "00000000-0000-4000-8"


@pytest.fixture
def store(database_url: str) -> Iterator[Database]:
    with region_store(database_url) as database:
        yield database


def test_a_network_is_described_with_all_its_subnets(store: Database) -> None:
    with store.write() as tx:
        networks.add(tx, a_network(1, mtu=9000))
        networks.add_subnet(tx, a_subnet(2, uuid(1), dns_nameservers=["1.1.1.1"]))
        networks.add_subnet(
            tx, a_subnet(3, uuid(1), cidr="10.0.1.0/24", gateway_ip=None, enable_dhcp=False)
        )
        found = network_spec(tx, uuid(1))
    assert found == NetworkSpec(
        uuid(1),
        9000,
        (
            SubnetSpec(uuid(2), "10.0.0.0/24", "10.0.0.1", ("1.1.1.1",), dhcp=True),
            SubnetSpec(uuid(3), "10.0.1.0/24", None, (), dhcp=False),
        ),
    )


def test_a_network_that_is_gone_is_said_so(store: Database) -> None:
    with store.read() as reader, pytest.raises(NotFound, match=uuid(9)):
        network_spec(reader, uuid(9))
