from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.world import World


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A region with a simulated host whose operations run."""
    one = World(database_url, tmp_path).open().start()
    yield one
    one.close()
