"""`make demo`: it proves what it says, sees what is there, and leaves nothing whatever happens."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanok.drivers.libvirt.names import Names
from scripts.demo_host import Deployment, run
from tests.boots import count_guest_boot
from tests.house.source import ROOT

DEMO = (sys.executable, str(ROOT / "scripts" / "demo.py"))
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="networks need root")
DEPLOYMENT = f"{os.getpid():08x}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that QEMU's user can pass, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="hanok-test-", dir="/var/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def domains() -> set[str]:
    return set(run("virsh", "-c", "qemu:///system", "list", "--all", "--name").split())


@pytest.mark.guest
@pytest.mark.timeout(240)  # three boots, one after the other
def test_from_a_token_to_a_guest_and_back_to_nothing(folder: Path) -> None:
    for boot in ("", ", started again", ", resized"):
        count_guest_boot(f"the demo's server{boot}")
    done = subprocess.run(
        [*DEMO, "--dir", folder], capture_output=True, text=True, timeout=230, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line for line in done.stdout.splitlines() if line.startswith("✔")]
    assert len(steps) == 26, done.stdout
    assert all(re.match(r"✔ +[0-9]+\.[0-9]{2} s  \S", step) for step in steps)
    summary = dict(re.findall(r"^(\S.*?)  +(\S.*)$", done.stdout.rpartition("\n\n")[2], re.M))
    assert re.match(r"libvirt \((kvm|tcg)\)", summary["host"])
    assert re.match(r"ACTIVE after [0-9.]+ s, SSH after [0-9.]+ s$", summary["server"])
    assert re.match(r"Linux hanok-demo [0-9]\S* ", summary["guest"])
    assert re.match(r"lsblk: vd[bc] +20G disk$", summary["volume"])
    uptimes = re.findall(r"([0-9.]+) s", summary["stop and start"])
    assert len(uptimes) == 2
    sizes = re.findall(r"([0-9]+) CPU and ([0-9]+) MiB", summary["resize"])
    assert [size[0] for size in sizes] == ["1", "2"]
    assert int(sizes[1][1]) > 1.8 * int(sizes[0][1])
    numbers = dict(re.findall(r"(\w+) ([0-9]+)", summary["nothing left"]))
    assert {"domains", "taps", "bridges", "namespaces", "rules", "processes", "files"} <= set(
        numbers
    )
    assert set(numbers.values()) == {"0"}
    # Its own proof held; this is ours.
    assert list(folder.iterdir()) == []
    seen = re.search(r"\$ lsblk\n(.*?)\n *\$", done.stdout, re.S)
    assert seen is not None
    assert re.search(r"vda .* 10G .*disk", seen[1])


@as_root
def test_ctrl_c_ends_it_with_nothing_left(folder: Path) -> None:
    demo = subprocess.Popen([*DEMO, "--dir", folder], stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    with demo.stdout:
        first = demo.stdout.readline()
        assert first.startswith("✔"), first
        region = [path for path in Path("/proc").glob("[0-9]*/cmdline") if mentions(path, folder)]
        assert len(region) >= 2, "the demo and its region"
        demo.send_signal(signal.SIGINT)
        said = demo.stdout.read()
    assert demo.wait(60) == 130
    assert "Interrupted." in said
    assert "Everything that the demo made is removed." in said
    assert list(folder.iterdir()) == []
    assert not any(mentions(path, folder) for path in region)


def mentions(cmdline: Path, folder: Path) -> bool:
    try:
        return str(folder).encode() in cmdline.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        DEMO, capture_output=True, text=True, timeout=30, env={"PATH": str(tmp_path)}, check=False
    )
    assert done.returncode == 1
    assert ("virsh" if os.geteuid() == 0 else "root") in done.stdout + done.stderr


def test_the_demos_rule_for_names_is_the_drivers(tmp_path: Path) -> None:
    for deployment_id in ("0123abcd", "68e2f9a1"):
        deployment, names = Deployment(deployment_id, tmp_path), Names(deployment_id)
        assert deployment.tag == names.tag
        assert names.domain("00000000-0000-4000-8000-000000000000").startswith(
            f"hk-{deployment.tag}-"
        )
        assert names.namespace("n").startswith(f"hk-{deployment.tag}-")
        assert names.filter_table() == f"hanok_{deployment.tag}"
        assert names.alias("port", "p") == f"hanok {deployment_id} port p"


@as_root
def test_everything_is_seen_and_removed_without_hanok(folder: Path) -> None:
    names = Names(DEPLOYMENT)
    host = folder / "state" / "regions" / "kr1" / "host"
    host.mkdir(parents=True)
    (host / "driver.lock").touch()
    deployment = Deployment(DEPLOYMENT, folder / "state")
    assert deployment.look(libvirt=False).names() == "regions/kr1/host/driver.lock"
    deployment.note_files()
    assert not deployment.look(libvirt=False)
    process = subprocess.Popen([sys.executable, "-c", "input()", host], stdin=subprocess.PIPE)
    try:
        run("ip", "netns", "add", names.namespace("n"))
        run("ip", "link", "add", names.bridge("n"), "type", "bridge")
        run("ip", "link", "set", names.bridge("n"), "alias", names.alias("network", "n"))
        run("ip", "tuntap", "add", "dev", names.tap("p"), "mode", "tap")
        run("ip", "link", "set", names.tap("p"), "alias", names.alias("port", "p"))
        run("nft", "add", "table", "inet", names.filter_table())
        (host / "disk.qcow2").touch()
        found = deployment.look(libvirt=False)
        assert found.taps == (names.tap("p"),)
        assert found.bridges == (names.bridge("n"),)
        assert found.namespaces == (names.namespace("n"),)
        assert deployment.namespace() == names.namespace("n")
        assert found.rules == (f"table inet {names.filter_table()} {{",)
        assert [name.endswith(f"[{process.pid}]") for name in found.processes] == [True]
        assert found.files == ("regions/kr1/host/disk.qcow2",)
        assert found.counts().startswith("domains 0, taps 1, bridges 1, veths 0, namespaces 1")
        assert not deployment.look(libvirt=False, besides=process.pid).processes
        # Another deployment sees and removes nothing of it.
        other = Deployment("ffffffff", folder / "other")
        assert not other.look(libvirt=False)
        other.remove(libvirt=False)
        assert deployment.look(libvirt=False) == found
    finally:
        deployment.remove(libvirt=False)
        process.kill()
        process.communicate()
    assert not deployment.look(libvirt=False)
