from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hanok.drivers.libvirt.disk_holders import DiskHolders
from hanok.model.errors import HostError


@pytest.fixture
def holders(tmp_path: Path) -> DiskHolders:
    return DiskHolders(tmp_path)


def test_a_disk_has_one_holder(holders: DiskHolders) -> None:
    assert holders.holder("disk-1") is None
    holders.take("disk-1", "server-1")
    holders.take("disk-1", "server-1")
    assert holders.holder("disk-1") == "server-1"
    with pytest.raises(HostError) as caught:
        holders.take("disk-1", "server-2")
    assert caught.value.permanent
    assert "server-1" not in caught.value.message


def test_a_released_disk_is_free(holders: DiskHolders) -> None:
    for disk in ("disk-1", "disk-2", "disk-3"):
        holders.take(disk, "server-1")
    holders.take("disk-4", "server-2")
    holders.release("server-1", keep={"disk-2"})
    found = [holders.holder(f"disk-{number}") for number in range(1, 5)]
    assert found == [None, "server-1", None, "server-2"]
    holders.release("server-1")
    holders.release("server-1")
    holders.take("disk-2", "server-2")


def test_one_disk_is_released_by_its_holder_only(holders: DiskHolders) -> None:
    holders.take("disk-1", "server-1")
    holders.release_one("disk-1", "server-2")
    assert holders.holder("disk-1") == "server-1"
    holders.release_one("disk-1", "server-1")
    holders.release_one("disk-1", "server-1")
    assert holders.holder("disk-1") is None


def test_of_many_that_want_a_disk_one_gets_it(holders: DiskHolders) -> None:
    def take(number: int) -> bool:
        try:
            holders.take("disk-1", f"server-{number}")
        except HostError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(take, range(8))).count(True) == 1


def test_an_id_is_no_path(holders: DiskHolders) -> None:
    with pytest.raises(HostError):
        holders.take("../disk", "server-1")
