from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hanok.drivers.base import Disk
from hanok.drivers.simulated.records import DiskRecord, DomainRecord, WorldFiles
from hanok.model.power import PowerState
from tests.drivers.scene import domain_of

DISK = Disk("disk-1", "/disks/disk-1", "simulated", 1)


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        (100.0, PowerState.RUNNING),
        (109.9, PowerState.RUNNING),
        (110.0, PowerState.SHUTDOWN),
        (500.0, PowerState.SHUTDOWN),
        # The machine's clock starts anew with it, and no guest outlives its machine.
        (5.0, PowerState.SHUTDOWN),
    ],
)
def test_a_shutdown_ends_by_itself(moment: float, state: PowerState) -> None:
    going = DomainRecord("d", domain_of(), PowerState.RUNNING, asked_at=100.0, off_at=110.0)
    assert going.power_state_at(moment) == state


def test_a_guest_that_was_not_asked_stays() -> None:
    record = DomainRecord("d", domain_of(), PowerState.RUNNING)
    assert record.power_state_at(1e9) == PowerState.RUNNING
    assert DomainRecord("d", domain_of()).power_state_at(0) == PowerState.SHUTDOWN


def test_a_domain_is_written_and_read_whole(tmp_path: Path) -> None:
    files = WorldFiles(tmp_path / "world")
    record = DomainRecord("d", domain_of((DISK,)), PowerState.RUNNING, 1.5, 2.5)
    with files.locked():
        files.put_domain(record)
    assert files.domains.get(record.spec.server_id) == record
    assert files.changes.since(0)[1] == [("d", record.spec.server_id)]
    content = msgspec.json.decode(files.domains.file(record.spec.server_id).read_bytes())
    assert content["deployment_id"] == "d"


def test_a_disk_is_held_by_a_domain_that_has_it(tmp_path: Path) -> None:
    files = WorldFiles(tmp_path / "world")
    holder, former = domain_of((DISK,)), domain_of()
    with files.locked():
        files.put_domain(DomainRecord("d", holder))
        files.put_domain(DomainRecord("d", former))
    for held_by, found in (
        (None, None),
        (holder.server_id, holder.server_id),
        (former.server_id, None),
        ("absent", None),
    ):
        assert files.holder(DiskRecord("d", DISK, None, 0, held_by)) == found


def test_a_dropped_domain_takes_its_console_along(tmp_path: Path) -> None:
    files = WorldFiles(tmp_path / "world")
    record = DomainRecord("d", domain_of())
    with files.locked():
        files.put_domain(record)
        files.console(record.spec.server_id).write_bytes(b"log")
        files.drop_domain(record)
        files.drop_domain(record)
    assert files.domains.ids() == []
    assert list(files.consoles.iterdir()) == []


def test_every_folder_is_swept(tmp_path: Path) -> None:
    files = WorldFiles(tmp_path / "world")
    folders = (files.domains, files.disks, files.networks, files.ports)
    for folder in folders:
        (folder.path / ".unfinished-x.json").touch()
    files.sweep()
    assert [list(folder.path.iterdir()) for folder in folders] == [[], [], [], []]
