from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from hanok.engine.clock import VirtualClock
from hanok.store import first_start, flavors, networks, zones
from hanok.store.database import Database
from hanok.store.flavors import Listing
from hanok.store.region_tables import networks as networks_table
from hanok.store.region_tables import security_group_rules, security_groups, volume_types
from tests.region_store import MINE, OTHER, region_store

LIST = Listing(project_id=MINE, limit=1000)


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


def seed(store: Database, region: str = "KR1", cidr: str = "192.168.0.0/24") -> None:
    with store.write() as tx:
        first_start.seed(
            tx,
            clock=VirtualClock(),
            region=region,
            projects=(MINE, OTHER, MINE),
            network_cidr=cidr,
        )


def test_a_region_has_what_nhn_cloud_has(store: Database) -> None:
    seed(store)
    with store.read() as reader:
        made = flavors.page(reader, LIST)
        assert made is not None
        assert {flavor.name.split(".")[0] for flavor in made} == {
            "m2",
            "c2",
            "r2",
            "t2",
            "x1",
            "u2",
        }
        for flavor in made:
            family, _, size = flavor.name.partition(".")
            assert size == f"c{flavor.vcpus}m{flavor.ram_mib // 1024}"
            assert flavor.disk_gib in range(20, 101) if family == "u2" else flavor.disk_gib == 0
            assert flavor.extra_specs.keys() == {"flavor_type"}
        assert min(flavor.ram_mib for flavor in made if flavor.disk_gib) == 1024
        assert min(flavor.ram_mib for flavor in made if not flavor.disk_gib) == 1024
        assert [zone.name for zone in zones.all_zones(reader)] == ["kr-pub-a", "kr-pub-b"]
        types = reader.rows(select(volume_types.c.name).order_by(volume_types.c.position))
        assert [row.name for row in types] == ["General SSD", "General HDD"]


def test_the_network_is_the_first_projects(store: Database) -> None:
    seed(store, cidr="10.20.0.0/24")
    with store.read() as reader:
        assert networks.visible(reader, OTHER) == []
        [network] = networks.visible(reader, MINE)
        [subnet] = networks.subnets_of(reader, network.id)
    assert " " not in network.name
    assert (network.mtu, network.shared, network.external) == (1450, False, False)
    assert (network.status, network.cidr) == ("ACTIVE", "10.20.0.0/24")
    assert (subnet.cidr, subnet.gateway_ip) == ("10.20.0.0/24", "10.20.0.1")
    assert subnet.allocation_pools == [{"start": "10.20.0.10", "end": "10.20.0.254"}]
    assert subnet.dns_nameservers == []
    assert subnet.enable_dhcp


def test_a_small_network_has_a_pool_too(store: Database) -> None:
    seed(store, cidr="10.0.0.8/29")
    with store.read() as reader:
        [network] = networks.visible(reader, MINE)
        [subnet] = networks.subnets_of(reader, network.id)
    assert subnet.allocation_pools == [{"start": "10.0.0.10", "end": "10.0.0.14"}]


def test_each_project_has_one_closed_default_group(store: Database) -> None:
    seed(store)
    with store.read() as reader:
        groups = reader.rows(select(security_groups))
        assert sorted((row.project_id, row.name) for row in groups) == [
            (MINE, "default"),
            (OTHER, "default"),
        ]
        for group in groups:
            rules = reader.rows(
                select(security_group_rules).where(
                    security_group_rules.c.security_group_id == group.id
                )
            )
            assert sorted((r.direction, r.ethertype, r.remote_group_id) for r in rules) == [
                ("egress", "IPv4", None),
                ("ingress", "IPv4", group.id),
            ]
            assert {(r.protocol, r.remote_ip_prefix, r.project_id) for r in rules} == {
                (None, None, group.project_id)
            }


def test_a_second_start_brings_nothing_back(store: Database) -> None:
    seed(store)
    with store.write() as tx:
        made = flavors.page(tx, LIST)
        assert made
        flavors.remove(tx, made[0].id)
    seed(store, region="KR2")
    with store.read() as reader:
        assert flavors.page(reader, LIST) == made[1:]
        assert len(networks.visible(reader, MINE)) == 1
        assert len(zones.all_zones(reader)) == 2
        assert len(reader.rows(select(security_groups))) == 2


def test_ids_are_the_same_everywhere_and_differ_by_region(store: Database) -> None:
    seed(store)
    with store.read() as reader:
        made = flavors.page(reader, LIST)
    assert made
    ids = {flavor.name: flavor.id for flavor in made}
    assert ids["u2.c1m1"] == "25dbadf5-ad82-5ee2-9cae-6708bc5c106e"
    assert first_start._id("KR2", "flavor/u2.c1m1") != ids["u2.c1m1"]


def test_several_first_starts_at_once_make_one_region(store: Database) -> None:
    barrier = Barrier(3)

    def start(_number: int) -> None:
        barrier.wait(10)
        seed(store)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(start, range(3)))
    with store.read() as reader:
        assert len(reader.rows(select(networks_table.c.id))) == 1
        assert len(reader.rows(select(security_groups.c.id))) == 2
        assert len(reader.rows(select(security_group_rules.c.id))) == 4


@pytest.mark.parametrize(
    ("region", "zone"),
    [
        ("KR1", "kr-pub-a"),
        ("KR2", "kr2-pub-a"),
        ("JP1", "jp-pub-a"),
        ("US1", "us-pub-a"),
        ("lab", "lab-pub-a"),
        ("R11", "r1-pub-a"),
        ("1", "1-pub-a"),
    ],
)
def test_zones_are_named_as_nhn_cloud_names_them(region: str, zone: str) -> None:
    assert first_start.zone_names(region)[0] == zone
