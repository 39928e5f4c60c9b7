"""This machine as a host: which driver it gets, what it starts with, how it joins."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hanok import machine
from hanok.config import Config, ConfigError
from hanok.engine.clock import SystemClock
from hanok.guest import tiny_image
from hanok.machine import CPU_RATIO, RAM_RESERVE_MIB, TINY, Machine, choose
from hanok.media.image_store import ImageStore
from hanok.model.errors import HostError, Invalid
from hanok.model.host import Host
from hanok.store import first_start, hosts, images
from hanok.store.database import Database
from tests.prepared import open_region
from tests.region_store import MINE


@pytest.fixture
def store(database_url: str) -> Iterator[Database]:
    database = open_region(database_url)
    with database.write() as tx:
        first_start.seed(
            tx,
            clock=SystemClock(),
            region="KR1",
            projects=(MINE,),
            network_cidr="192.168.0.0/24",
        )
    yield database
    database.close()


@pytest.fixture(autouse=True)
def _no_tiny_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny_image, "cached", lambda: None)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def make(tmp_path: Path, said: list[str]) -> Callable[..., Machine]:
    """A machine in the region's folder, as each start makes one."""

    def one(driver: str = "simulated", **more: Any) -> Machine:
        config = Config(driver=driver, state=tmp_path, **more)
        return Machine(config, tmp_path, ImageStore(tmp_path / "images"), said.append)

    return one


def only_host(store: Database) -> Host:
    with store.read() as reader:
        [host] = hosts.all_hosts(reader)
    return host


# -- which driver ----------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", ["libvirt", "simulated"])
def test_a_driver_that_is_asked_for_is_taken(driver: str) -> None:
    assert choose(driver) == (driver, "as asked")


@pytest.mark.parametrize(
    ("user", "binding", "qemu", "wanted", "reason"),
    [
        (0, object(), "/usr/bin/qemu-system-x86_64", "libvirt", "root, with libvirt and QEMU"),
        (1000, object(), "/usr/bin/qemu-system-x86_64", "simulated", "not root"),
        (0, None, "/usr/bin/qemu-system-x86_64", "simulated", "python3-libvirt"),
        (0, object(), None, "simulated", "qemu-system-x86"),
    ],
)
def test_auto_takes_real_guests_where_they_can_be_run(
    monkeypatch: pytest.MonkeyPatch,
    user: int,
    binding: object,
    qemu: str | None,
    wanted: str,
    reason: str,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: binding)
    monkeypatch.setattr(shutil, "which", lambda _name: qemu)
    driver, why = choose("auto")
    assert driver == wanted
    assert reason in why


# -- before the API opens --------------------------------------------------------------------------


def test_the_host_is_known_at_once_with_room_for_nothing(
    store: Database, make: Callable[..., Machine], said: list[str]
) -> None:
    one = make()
    one.prepare(store, SystemClock())
    host = only_host(store)
    assert host == one.host
    assert (host.name, host.driver, host.state) == (socket.gethostname(), "simulated", "joining")
    assert (host.vcpus, host.ram_mib, host.disk_gib) == (0, 0, 0)
    assert set(host.zones) == {"kr-pub-a", "kr-pub-b"}
    assert said == []


def test_auto_says_what_it_chose_once(
    store: Database,
    make: Callable[..., Machine],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "choose", lambda _driver: ("simulated", "by chance"))
    make("auto").prepare(store, SystemClock())
    assert said == ["hanok: driver simulated: by chance"]
    make("auto").prepare(store, SystemClock())
    assert len(said) == 1


def test_a_later_start_finds_the_same_host_and_does_not_change_its_driver(
    store: Database, make: Callable[..., Machine]
) -> None:
    first = make()
    first.prepare(store, SystemClock())
    report = first.open(lambda _server_id: None)
    first.register(store, report.host)
    report.drivers.compute.close()
    assert only_host(store).state == "up"
    again = make()
    again.prepare(store, SystemClock())
    assert again.host.id == first.host.id
    assert only_host(store).state == "joining", "until it is proven anew"
    with pytest.raises(ConfigError, match="has the simulated driver") as refused:
        make("libvirt").prepare(store, SystemClock())
    assert "--driver simulated, or another --state" in str(refused.value)


def test_the_tiny_image_is_registered_once(
    store: Database, make: Callable[..., Machine], tmp_path: Path
) -> None:
    for _ in range(2):
        make().prepare(store, SystemClock())
    with store.read() as reader:
        listed = images.page(reader, images.Listing(MINE, 10))
    assert listed is not None
    [image] = listed
    assert (image.name, image.status, image.visibility) == (TINY, "active", "public")
    assert (image.project_id, image.protected, image.disk_format) == (None, True, "raw")
    assert (image.properties["os_type"], image.properties["login_username"]) == ("linux", "root")
    [stored] = ImageStore(tmp_path / "images").list_images()
    assert (stored.image_id, stored.size, stored.checksum) == (
        image.id,
        image.size_bytes,
        image.checksum,
    )


def test_the_simulated_driver_takes_the_real_image_where_there_is_one(
    store: Database,
    make: Callable[..., Machine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cached = tmp_path / "cached.raw"
    cached.write_bytes(b"x" * 2048)
    monkeypatch.setattr(tiny_image, "cached", lambda: cached)
    make().prepare(store, SystemClock())
    [stored] = ImageStore(tmp_path / "images").list_images()
    assert stored.size == 2048


def test_a_real_host_builds_the_image_and_says_so(
    store: Database,
    make: Callable[..., Machine],
    said: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def build(target: Path, *, progress: Callable[[str], None]) -> None:
        progress("half done")
        target.write_bytes(b"y" * 4096)

    monkeypatch.setattr(tiny_image, "cache_path", lambda: tmp_path / "built.raw")
    monkeypatch.setattr(tiny_image, "build", build)
    make("libvirt").prepare(store, SystemClock())
    assert said[0].startswith("hanok: building the tiny guest image")
    assert said[1] == "hanok: half done"
    [stored] = ImageStore(tmp_path / "images").list_images()
    assert stored.size == 4096


def test_an_image_that_cannot_be_built_is_tried_again_at_the_next_start(
    store: Database,
    make: Callable[..., Machine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def build(*_: object, **__: object) -> None:
        raise HostError("mmdebstrap is not installed")

    with monkeypatch.context() as broken:
        broken.setattr(tiny_image, "build", build)
        with pytest.raises(HostError):
            make("libvirt").prepare(store, SystemClock())
    with store.read() as reader:
        assert images.page(reader, images.Listing(MINE, 10)) == []
    built = tmp_path / "built.raw"
    monkeypatch.setattr(tiny_image, "build", lambda target, **_: target.write_bytes(b"z" * 512))
    monkeypatch.setattr(tiny_image, "cache_path", lambda: built)
    make("libvirt").prepare(store, SystemClock())
    with store.read() as reader:
        listed = images.page(reader, images.Listing(MINE, 10))
    assert listed is not None
    assert [image.size_bytes for image in listed] == [512]


# -- joining ---------------------------------------------------------------------------------------


def test_a_proven_host_is_measured_and_says_what_it_is(
    store: Database, make: Callable[..., Machine]
) -> None:
    one = make(simulated={"vcpus": 2, "ram_mib": 4096})
    one.prepare(store, SystemClock())
    heard: list[str] = []
    report = one.open(heard.append)
    host = report.host
    assert (host.state, host.accel) == ("up", "simulated")
    assert (host.vcpus, host.ram_mib) == (2 * CPU_RATIO, 4096 - RAM_RESERVE_MIB)
    assert host.disk_gib > 0
    assert report.sentence == f"host {host.name} joined: simulated (simulated), 2 CPUs, 4096 MiB"
    assert only_host(store).state == "joining", "nobody uses it before it is registered"
    one.register(store, host)
    assert only_host(store) == host
    report.drivers.compute.close()


def test_a_machine_smaller_than_what_it_keeps_for_itself_holds_nothing(
    store: Database, make: Callable[..., Machine]
) -> None:
    one = make(simulated={"vcpus": 1, "ram_mib": 512})
    one.prepare(store, SystemClock())
    report = one.open(lambda _server_id: None)
    assert report.host.ram_mib == 0
    report.drivers.compute.close()


def test_a_simulated_driver_that_is_told_nonsense_does_not_join(
    store: Database, make: Callable[..., Machine]
) -> None:
    one = make(simulated={"vcpu": 1})
    one.prepare(store, SystemClock())
    with pytest.raises(Invalid, match="knows no 'vcpu'"):
        one.open(lambda _server_id: None)
