"""What every test may use: the marks' rules, the closing lines, and the databases."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.boots import ENVIRONMENT, booted_guests
from tests.postgres import PostgresMissingError, PostgresServer, postgres_server

AS_ROOT = os.geteuid() == 0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="the database that `database_url` gives to tests (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        handle, path = tempfile.mkstemp(prefix="hanok-boots-")
        os.close(handle)
        # Workers and the programs that tests start inherit it.
        os.environ[ENVIRONMENT] = path


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        Path(os.environ.pop(ENVIRONMENT)).unlink(missing_ok=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip real guests where nobody could boot one; begin with the longest test.

    A worker that comes to it last works on alone.
    """
    items.sort(key=lambda item: item.path.name != "test_demo.py")
    if AS_ROOT:
        return
    for item in items:
        if "guest" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="a real guest needs root"))


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what collecting made, and look seldom at the rest.

    Hundreds of thousands of objects that stay would be gone through again with every test.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skipped test as failed when run as root: there, everything can be had."""
    report = yield
    _skip_is_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Count a skipped module as failed when run as root."""
    report = yield
    _skip_is_failure(report)
    return report


def _skip_is_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    if AS_ROOT and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as failed when run as root: {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    booted = booted_guests(Path(os.environ[ENVIRONMENT]))
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    if booted or any("guest" in report.keywords for report in reports):
        terminalreporter.section("guests")
        for what in booted:
            terminalreporter.write_line(f"booted: {what}")
        terminalreporter.write_line(f"guests booted: {len(booted)}")


@pytest.fixture(autouse=True)
def _no_watch_outlives_its_test() -> Iterator[None]:
    """Fail the test that leaves a driver's watch open, not one that runs later beside it."""
    before = _watches()
    yield
    left = _watches() - before
    assert not left, f"not closed: {left}"


def _watches() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.endswith("-watch")}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this worker's own, started when a test first asks for it."""
    try:
        with postgres_server(durable=False) as server:
            yield server
    except PostgresMissingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def shared_database(postgres: PostgresServer) -> str:
    """The name of the database that one test after the other has to itself."""
    postgres.create_database("test")
    return "test"


@pytest.fixture
def postgres_url(postgres: PostgresServer, shared_database: str) -> Iterator[str]:
    """The URL (`postgresql://…`) of a PostgreSQL database, empty before and after the test."""
    yield postgres.url(shared_database)
    postgres.empty_database(shared_database)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL (`sqlite:////…`) of an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'hanok.sqlite'}"


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of the kind that this run is about (`--database`)."""
    kind = request.config.getoption("--database")
    url: str = request.getfixturevalue("postgres_url" if kind == "postgresql" else "sqlite_url")
    return url


@pytest.fixture(
    params=["sqlite_url", pytest.param("postgres_url", marks=pytest.mark.postgres)],
    ids=["sqlite", "postgresql"],
)
def each_database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, once of each kind: for what must hold on both."""
    url: str = request.getfixturevalue(request.param)
    return url
