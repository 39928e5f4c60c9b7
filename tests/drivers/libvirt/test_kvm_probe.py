from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from hanok.drivers.libvirt import kvm_probe
from hanok.drivers.libvirt.kvm_probe import accel, boot_command, boots
from hanok.guest import tiny_image
from tests.boots import count_guest_boot


def python(lines: str) -> list[str]:
    return [sys.executable, "-c", lines]


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "blank.raw"
    path.write_bytes(bytes(1 << 20))
    return path


def test_the_marker_is_proof_and_ends_the_boot() -> None:
    before = time.monotonic()
    said = "import time; print('SeaBIOS\\n[ 0.0] Linux version 6.1', flush=True); time.sleep(60)"
    assert boots(python(said), 30)
    assert time.monotonic() - before < 10


def test_a_marker_in_two_parts_is_seen() -> None:
    lines = (
        "import sys, time\n"
        "sys.stdout.write('Linux ver'); sys.stdout.flush(); time.sleep(0.2)\n"
        "sys.stdout.write('sion'); sys.stdout.flush(); time.sleep(60)\n"
    )
    assert boots(python(lines), 30)


@pytest.mark.parametrize(
    "lines",
    [
        "import os; os.abort()",
        "print('failed to set MSR 0x10a to 0x69')",
        "print('Booting from Hard Disk...')",
    ],
)
def test_a_guest_that_ends_without_it_is_none(lines: str) -> None:
    assert not boots(python(lines), 30)


def test_a_guest_that_hangs_is_ended_at_the_deadline(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    lines = (
        f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid()))\n"
        "print('running', flush=True); time.sleep(60)"
    )
    before = time.monotonic()
    assert not boots(python(lines), 1.0)
    assert time.monotonic() - before < 10
    assert not Path("/proc", note.read_text()).exists()


def test_without_a_device_it_is_tcg_at_once(
    tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kvm_probe, "_KVM", tmp_path / "kvm")
    assert accel(blank, tmp_path / "cache") == "tcg"
    assert not (tmp_path / "cache").exists()


def test_without_qemu_it_is_tcg(
    tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kvm_probe, "_KVM", blank)
    monkeypatch.setattr(kvm_probe, "QEMU", "hanok-no-such-qemu")
    assert accel(blank, tmp_path / "cache") == "tcg"


def test_an_answer_is_kept_for_this_machine_as_it_is(
    tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    asked: list[list[str]] = []

    def boots_not(command: list[str], _deadline: float) -> bool:
        asked.append(command)
        return False

    monkeypatch.setattr(kvm_probe, "_KVM", blank)
    monkeypatch.setattr(kvm_probe, "boots", boots_not)
    assert [accel(blank, cache), accel(blank, cache)] == ["tcg", "tcg"]
    assert len(asked) == 1
    assert f"file={blank},format=raw,if=virtio,snapshot=on" in asked[0]
    kept = json.loads(cache.read_text())
    cache.write_text(json.dumps(kept | {"accel": "kvm"}))
    assert accel(blank, cache) == "kvm"
    for change in ({"boot": "x"}, {"qemu": "x"}, {"kernel": "x"}, {"accel": "x"}):
        cache.write_text(json.dumps(kept | change))
        assert accel(blank, cache) == "tcg"
    cache.write_text("{")
    assert accel(blank, cache) == "tcg"
    assert len(asked) == 6


def test_a_disk_that_boots_nothing_is_no_proof(tmp_path: Path, blank: Path) -> None:
    """On every machine: under a KVM that works the firmware finds no system."""
    before = blank.read_bytes()
    assert accel(blank, tmp_path / "cache", deadline=2.0) == "tcg"
    assert blank.read_bytes() == before


@pytest.mark.guest
def test_a_real_kernel_is_seen_to_boot() -> None:
    image = tiny_image.cached()
    assert image is not None
    before = image.stat().st_mtime_ns
    count_guest_boot("the tiny image, for the probe")
    assert boots(boot_command(image, "tcg"), 60)
    assert image.stat().st_mtime_ns == before
