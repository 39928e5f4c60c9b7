from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hanok.api.volume.service import service
from tests.api.one_region import OneRegion, one_region
from tests.operations.world import World
from tests.region_store import first_start_of_kr1


@pytest.fixture
def volume(database_url: str) -> Iterator[OneRegion]:
    """The block storage service of a region that has had its first start."""
    with one_region(database_url, service(), first_start_of_kr1) as region:
        yield region


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A region with a simulated host whose operations run."""
    one = World(database_url, tmp_path).open().start()
    yield one
    one.close()
