from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hanok.drivers.simulated.records import DomainRecord, WorldFiles
from hanok.drivers.simulated.watcher import Watcher
from tests.drivers.scene import domain_of, wait_for


@pytest.fixture
def files(tmp_path: Path) -> WorldFiles:
    return WorldFiles(tmp_path / "world")


def change(files: WorldFiles, deployment_id: str = "here") -> str:
    record = DomainRecord(deployment_id, domain_of())
    with files.locked():
        files.put_domain(record)
    return record.spec.server_id


def test_every_listener_hears_of_what_changes_from_now_on(files: WorldFiles) -> None:
    change(files)
    one: list[str] = []
    two: list[str] = []
    watcher = Watcher("here", files)
    watcher.listen(one.append)
    watcher.listen(two.append)
    change(files, "elsewhere")
    changed = change(files)
    assert wait_for(lambda: changed in one and changed in two)
    assert set(one) == set(two) == {changed}
    watcher.close()


def test_it_looks_at_once_when_told(files: WorldFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hanok.drivers.simulated.watcher._LOOK", 60.0)
    heard: list[str] = []
    watcher = Watcher("here", files)
    watcher.listen(heard.append)
    changed = change(files)
    watcher.look()
    assert wait_for(lambda: changed in heard)
    watcher.close()


def test_a_listener_that_fails_silences_nobody(
    files: WorldFiles, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def fail(server_id: str) -> None:
        raise RuntimeError(server_id)

    watcher = Watcher("here", files)
    watcher.listen(fail)
    watcher.listen(heard.append)
    with caplog.at_level(logging.ERROR):
        first, second = change(files), change(files)
        assert wait_for(lambda: {first, second} <= set(heard))
    assert "a listener failed" in caplog.text
    watcher.close()


def test_a_damaged_domain_is_told_of_and_the_watch_goes_on(
    files: WorldFiles, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = change(files)
    files.domains.file(damaged).write_text("{")
    heard: list[str] = []
    watcher = Watcher("here", files)
    with caplog.at_level(logging.ERROR):
        watcher.listen(heard.append)
        with files.locked():
            files.changes.append("here", damaged)
        changed = change(files)
        assert wait_for(lambda: {damaged, changed} <= set(heard))
    assert f"{damaged} cannot be read" in caplog.text
    watcher.close()


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    away = path.with_name("away")
    path.rename(away)
    path.symlink_to(path)  # a loop: nothing behind it can be opened
    yield
    path.unlink()
    away.rename(path)


def test_a_world_that_cannot_be_read_is_looked_at_again(
    files: WorldFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    change(files)
    watcher = Watcher("here", files)
    heard: list[str] = []

    def failures() -> int:
        return caplog.text.count("cannot be looked at")

    with caplog.at_level(logging.ERROR):
        with unreadable(tmp_path / "world" / "domains"):
            watcher.listen(heard.append)
            assert wait_for(lambda: failures() == 1)
            watcher.look()
        first = change(files)
        assert wait_for(lambda: first in heard)
        with unreadable(tmp_path / "world" / "changes.log"):
            watcher.look()
            assert wait_for(lambda: failures() == 2)
            watcher.look()
        second = change(files)
        assert wait_for(lambda: second in heard)
    assert failures() == 2, "it is said once each time"
    watcher.close()


def test_closing_ends_the_thread_even_from_a_listener(files: WorldFiles) -> None:
    watcher = Watcher("here", files)
    closed = threading.Event()

    def close(_: str) -> None:
        watcher.close()
        closed.set()

    watcher.listen(close)
    change(files)
    assert closed.wait(5)
    heard: list[str] = []
    watcher.listen(heard.append)
    watcher.close()
    change(files)
    assert heard == []
