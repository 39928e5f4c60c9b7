"""The demo believes nothing that the guest does not show."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scripts.demo_api import Choice, Cloud, Server
from scripts.demo_guest import Guest
from scripts.demo_life import Life
from scripts.demo_show import DemoError, Progress

SMALL = {"id": "f1", "name": "m2.c1m2", "vcpus": 1, "ram": 2048}
LARGER = {"id": "f2", "name": "m2.c2m4", "vcpus": 2, "ram": 4096}
CHOICE = Choice(SMALL, LARGER, {"id": "i"}, "kr-pub-a", {"id": "s"}, "g")
SERVER = Server("one", "192.168.0.10", "n", "p", ("v",))


class Saying(Guest):
    """A guest that answers what it is told to, one line for each question."""

    def __init__(self, *lines: str) -> None:
        super().__init__("nowhere", Path("key"), "root@192.168.0.10", lambda: None)
        self.lines = list(lines)

    def wait(self, remote: str, seconds: float) -> None:
        """It is always ready."""

    def ask(self, remote: str) -> list[str]:
        return [self.lines.pop(0)]


class Willing(Cloud):
    """A region that does everything at once and notes which actions it was sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def call(self, method: str, service: str, path: str, body: Any = None) -> Any:
        raise AssertionError(f"unexpected {method} {path}")

    def act(self, server_id: str, action: Mapping[str, Any]) -> None:
        assert server_id == SERVER.id
        self.sent += action

    def wait_status(self, server_id: str, status: str, seconds: float) -> Server:
        self.sent.append(status)
        return SERVER

    def create_volume(self, zone: str) -> str:
        assert zone == CHOICE.zone
        return "v2"

    def attach(self, server_id: str, volume_id: str) -> str:
        return "/dev/vdb"

    def wait_volume(self, volume_id: str, status: str, seconds: float) -> None:
        assert volume_id == "v2"
        self.sent.append(status)


def life(cloud: Cloud, *lines: str) -> Life:
    progress = Progress(Console(file=io.StringIO()))
    return Life(cloud, SERVER, Saying(*lines), progress)


def test_what_the_guest_shows_is_told() -> None:
    cloud = Willing()
    lines = ("vdb   20G disk", "80.5", "0.4", "1", "1979", "2", "3927")
    lived = life(cloud, *lines)
    assert lived.attach(CHOICE) == ("v2", "lsblk: vdb   20G disk")
    assert lived.stop_and_start() == "uptime 80.5 s before, 0.4 s after"
    assert lived.resize(CHOICE) == "1 CPU and 1979 MiB before, 2 CPU and 3927 MiB after"
    assert cloud.sent == [
        *("available", "in-use"),
        *("os-stop", "SHUTOFF", "os-start", "ACTIVE"),
        *("resize", "VERIFY_RESIZE", "confirmResize", "ACTIVE"),
    ]


@pytest.mark.parametrize("line", ["vdb 10G disk", "vdc 20G disk", "vdb 20G part", ""])
def test_a_volume_of_another_size_or_name_is_none(line: str) -> None:
    with pytest.raises(DemoError, match="no /dev/vdb of 20G"):
        life(Willing(), line).attach(CHOICE)


def test_a_guest_that_went_on_was_not_stopped() -> None:
    with pytest.raises(DemoError, match="was not stopped"):
        life(Willing(), "80.5", "92.1").stop_and_start()


@pytest.mark.parametrize("after", [("1", "3927"), ("2", "1979"), ("2", "2500")])
def test_half_a_resize_is_none(after: tuple[str, str]) -> None:
    cloud = Willing()
    with pytest.raises(DemoError, match=re.escape("does not have what m2.c2m4 has")):
        life(cloud, "1", "1979", *after).resize(CHOICE)
    assert "confirmResize" not in cloud.sent


def test_what_is_no_number_is_said() -> None:
    with pytest.raises(DemoError, match="gave no number but 'nproc: not found'"):
        life(Willing(), "nproc: not found").resize(CHOICE)
