from __future__ import annotations

import json
import resource
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import structlog

from hanok.telemetry.logs import configure


class Log:
    """A log file and what has been written to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: list[BinaryIO] = []

    def start(self, level: int = 20) -> None:
        self._open.append(configure(self.path, level=level))

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def close(self) -> None:
        for file in self._open:
            file.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """Logging is the process's own: it is put back for whoever comes next."""
    before = structlog.get_config()
    made = Log(tmp_path / "log")
    yield made
    structlog.configure(**before)
    made.close()


def test_a_line_is_a_json_object_that_says_when_and_how_grave(log: Log) -> None:
    log.start()
    structlog.get_logger().info("도착", path=Path("/x"), count=2)
    [line] = log.lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "도착",
        "level": "info",
        "path": "PosixPath('/x')",
        "count": 2,
    }


def test_a_full_disk_takes_lines_and_nothing_else(log: Log) -> None:
    log.start()
    structlog.get_logger().info("before")
    room = log.path.stat().st_size + 10
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        structlog.get_logger().info("cut after ten bytes")
        structlog.get_logger().info("not written at all")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    structlog.get_logger().info("after")
    structlog.get_logger().info("later")
    before, fragment, lost, *rest = log.path.read_text().splitlines()
    assert len(fragment) == 10
    assert json.loads(lost) == {"event": "log lines were lost", "level": "error", "lines": 2}
    assert [json.loads(line)["event"] for line in (before, *rest)] == ["before", "after", "later"]


def test_only_its_owner_reads_it_and_it_goes_on_after_a_restart(log: Log) -> None:
    for number in range(2):
        log.start()
        structlog.get_logger().info("start", number=number)
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    assert [line["number"] for line in log.lines()] == [0, 1]


def test_what_is_beneath_the_level_is_not_written(log: Log) -> None:
    log.start(level=30)
    structlog.get_logger().info("small talk")
    structlog.get_logger().warning("trouble")
    assert [line["event"] for line in log.lines()] == ["trouble"]


@pytest.mark.parametrize(
    "key", ["password", "admin_pass", "X-Auth-Token", "client_secret", "private_key", "user_data"]
)
def test_what_opens_a_door_is_never_written(log: Log, key: str) -> None:
    log.start()
    structlog.get_logger().warning("odd", **{key: "xyzzy"}, other="shown")
    assert "xyzzy" not in log.path.read_text()
    [line] = log.lines()
    assert (line[key], line["other"]) == ("***", "shown")


def test_a_traceback_is_one_line_and_holds_no_variables(log: Log) -> None:
    log.start()

    password = "xyzzy"
    try:
        raise RuntimeError(len(password))
    except RuntimeError:
        structlog.get_logger().exception("broken")
    [line] = log.lines()
    assert "RuntimeError: 5" in line["exception"]
    assert "Traceback" in line["exception"]
    assert "xyzzy" not in log.path.read_text()


@pytest.mark.usefixtures("log")
def test_without_a_file_lines_go_to_stderr(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    configure(None)
    structlog.get_logger().info("here")
    assert json.loads(capfdbinary.readouterr().err)["event"] == "here"
