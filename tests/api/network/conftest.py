from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.api.network.service import service
from hanok.store import ports
from tests.api.one_region import OneRegion, one_region
from tests.region_store import MINE, first_start_of_kr1


@pytest.fixture
def bare(database_url: str) -> Iterator[OneRegion]:
    """The network service of a region that knows no project yet."""
    with one_region(database_url, service()) as region:
        yield region


@pytest.fixture
def network(database_url: str) -> Iterator[OneRegion]:
    """The network service of a region that has had its first start."""
    with one_region(database_url, service(), first_start_of_kr1) as region:
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
