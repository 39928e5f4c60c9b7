from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.api.network.service import service
from hanok.engine.clock import SystemClock
from hanok.store import first_start, ports
from tests.api.one_region import OneRegion, one_region
from tests.region_store import MINE, OTHER


@pytest.fixture
def bare(database_url: str) -> Iterator[OneRegion]:
    """The network service of a region that knows no project yet."""
    with one_region(database_url, service()) as region:
        yield region


@pytest.fixture
def network(database_url: str) -> Iterator[OneRegion]:
    """The network service of a region that has had its first start."""
    with one_region(database_url, service()) as region:
        with region.store.write() as tx:
            first_start.seed(
                tx,
                clock=SystemClock(),
                region="KR1",
                projects=(MINE, OTHER),
                network_cidr="192.168.0.0/24",
            )
        yield region


PORT = "99999999-0000-4000-8000-000000000001"


@pytest.fixture
def port(network: OneRegion) -> str:
    """A port of a server's on the default network."""
    [one] = network.get("/v2.0/networks")["networks"]
    [group] = network.get("/v2.0/security-groups")["security_groups"]
    with network.store.write() as tx:
        ports.allocate(
            tx,
            ports.Allocation(
                port_id=PORT,
                network_id=one["id"],
                subnet_id=None,
                address=None,
                project_id=MINE,
                server_id=None,
                position=0,
                group_ids=(group["id"],),
            ),
            1,
        )
    return PORT
