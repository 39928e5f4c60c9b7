"""Options of the regions that tests of faults run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import PostgresServer


@pytest.fixture(scope="module")
def database_options(request: pytest.FixtureRequest) -> Iterator[tuple[str, ...]]:
    """The options of `hanok up` for the kind of database that this run is about."""
    if request.config.getoption("--database") != "postgresql":
        yield ()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = "faults_" + request.module.__name__.rpartition("_")[2]
    yield ("--database", server.create_database(name))
    server.drop_database(name)
