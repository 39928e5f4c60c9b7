from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.api.image.service import service
from tests.api.one_region import OneRegion, one_region


@pytest.fixture
def api(database_url: str) -> Iterator[OneRegion]:
    """The image service of a region without images."""
    with one_region(database_url, service()) as region:
        yield region
