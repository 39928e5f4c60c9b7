from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanok.drivers.libvirt import daemon
from hanok.drivers.libvirt.daemon import (
    SYSTEM_URI,
    Which,
    connect_failure,
    ensure_libvirtd,
    start_commands,
)
from hanok.model.errors import HostError, HostUnreachable
from tests.drivers.libvirt.private_libvirtd import PLACES

NOWHERE = "qemu+unix:///system?socket=/nonexistent/libvirt-sock"


def installed(*names: str) -> Which:
    return lambda name: f"/usr/sbin/{name}" if name in names else None


@pytest.mark.parametrize(
    ("names", "systemd", "commands"),
    [
        (
            ("libvirtd", "virtlogd"),
            False,
            [["/usr/sbin/virtlogd", "-d"], ["/usr/sbin/libvirtd", "-d"]],
        ),
        (
            ("virtqemud", "virtlogd"),
            False,
            [["/usr/sbin/virtlogd", "-d"], ["/usr/sbin/virtqemud", "-d"]],
        ),
        (
            ("libvirtd", "virtqemud", "virtlogd"),
            True,
            [["systemctl", "start", "virtlogd.socket", "libvirtd.service"]],
        ),
        (
            ("virtqemud", "virtlogd"),
            True,
            [["systemctl", "start", "virtlogd.socket", "virtqemud.service"]],
        ),
    ],
)
def test_each_machine_has_its_way(
    names: tuple[str, ...], systemd: bool, commands: list[list[str]]
) -> None:
    assert start_commands(systemd=systemd, which=installed(*names)) == commands


@pytest.mark.parametrize("names", [(), ("virtlogd",), ("libvirtd",)])
def test_without_libvirt_the_sentence_says_what_to_install(names: tuple[str, ...]) -> None:
    with pytest.raises(HostError, match="apt install libvirt-daemon-system") as caught:
        start_commands(systemd=False, which=installed(*names))
    assert caught.value.permanent


def test_a_failure_is_told_once_and_not_on_stderr() -> None:
    """In a process of its own: libvirt is hushed once for each."""
    program = (
        "from hanok.drivers.libvirt.daemon import connect_failure\n"
        f"print(connect_failure({NOWHERE!r}, 10))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert "/nonexistent/libvirt-sock" in done.stdout
    assert done.stderr == ""


def test_nobody_at_the_address_is_told_at_once() -> None:
    before = time.monotonic()
    failure = connect_failure(NOWHERE, 10)
    assert failure is not None
    assert "/nonexistent/libvirt-sock" in failure
    assert time.monotonic() - before < 2


def test_somebody_elses_daemon_is_not_started() -> None:
    with pytest.raises(HostUnreachable, match="does not answer") as caught:
        ensure_libvirtd(NOWHERE)
    assert NOWHERE in caught.value.detail
    assert not caught.value.permanent


def test_only_root_starts_a_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "connect_failure", lambda *_: "nobody there")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(HostUnreachable, match="join the group libvirt"):
        ensure_libvirtd(SYSTEM_URI)


@pytest.fixture
def machine() -> Iterator[Path]:
    """A folder for the daemons of `start_in_private`; they are killed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="hanok-daemons-", dir="/var/tmp"))
    folder.chmod(0o711)
    yield folder
    for note in folder.glob("run/*.pid"):
        os.kill(int(note.read_text()), signal.SIGKILL)
    shutil.rmtree(folder)


@pytest.mark.guest
def test_many_that_need_a_daemon_start_one(machine: Path) -> None:
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, __file__, str(machine)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"results": [0, 0, 0], "libvirtd": 1, "virtlogd": 1}


def start_in_private(folder: Path) -> None:
    """In a mount namespace without libvirt's sockets: let three processes need it at once."""
    for name, place in {**PLACES, "run": "/run"}.items():
        inside = folder / name
        if name in {"etc", "cache"}:
            shutil.copytree(place, inside)
        else:
            inside.mkdir(mode=0o755)
        subprocess.run(["mount", "--bind", str(inside), place], check=True, timeout=10)
    for place in ("/var/lib/libvirt/qemu", "/var/log/libvirt/qemu"):
        Path(place).mkdir(mode=0o751)
    call = "from hanok.drivers.libvirt.daemon import ensure_libvirtd; ensure_libvirtd()"
    started = [subprocess.Popen([sys.executable, "-c", call]) for _ in range(3)]
    results = [one.wait(80) for one in started]
    mine = Path("/proc/self/ns/mnt").readlink()
    counts = {"libvirtd": 0, "virtlogd": 0}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text().strip()
            if name in counts and (process / "ns" / "mnt").readlink() == mine:
                counts[name] += 1
        except OSError:
            continue
    print(json.dumps({"results": results, **counts}))  # noqa: T201  # the parent reads it


if __name__ == "__main__":
    start_in_private(Path(sys.argv[1]))
