from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hanok.drivers.libvirt.domain_folder import DomainFolder


@pytest.fixture
def folder(tmp_path: Path) -> DomainFolder:
    return DomainFolder(tmp_path / "server")


def test_the_drive_is_written_for_root_alone(folder: DomainFolder) -> None:
    assert not folder.has_drive(b"drive")
    folder.write_drive(b"old")
    folder.write_drive(b"drive")
    assert folder.has_drive(b"drive")
    assert not folder.has_drive(b"driv")
    assert stat.S_IMODE(folder.config_drive.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o711
    assert list(folder.path.iterdir()) == [folder.config_drive]


def test_a_drive_that_is_in_use_is_replaced_not_changed(folder: DomainFolder) -> None:
    folder.write_drive(b"old")
    with folder.config_drive.open("rb") as reader:
        folder.write_drive(b"new drive")
        assert reader.read() == b"old"


@pytest.mark.parametrize(
    ("max_bytes", "tail"),
    [(-1, b""), (0, b""), (2, b"ef"), (3, b"def"), (5, b"bcdef"), (9, b"abcdef")],
)
def test_the_tail_goes_on_in_rotated_files(
    folder: DomainFolder, max_bytes: int, tail: bytes
) -> None:
    folder.path.mkdir()
    for name, content in {"": b"def", ".0": b"bc", ".1": b"a"}.items():
        Path(f"{folder.console_log}{name}").write_bytes(content)
    assert folder.console_tail(max_bytes) == tail


def test_what_never_ran_has_no_console(folder: DomainFolder) -> None:
    assert folder.console_tail(100) == b""


def test_the_folder_goes_with_all_that_is_in_it(folder: DomainFolder) -> None:
    folder.write_drive(b"drive")
    folder.console_log.write_bytes(b"log")
    folder.remove()
    folder.remove()
    assert not folder.path.exists()
