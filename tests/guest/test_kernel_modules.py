from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from hanok.guest.kernel_modules import KernelModules, ModuleMissing


def make_modules(folder: Path) -> KernelModules:
    drivers = folder / "kernel/drivers"
    drivers.mkdir(parents=True)
    (drivers / "net-card.ko").write_bytes(b"ELF\0depends=bus,crc\0name=net_card\0")
    (drivers / "bus.ko.xz").write_bytes(lzma.compress(b"ELF\0depends=ring\0name=bus\0"))
    (drivers / "ring.ko").write_bytes(b"ELF\0depends=\0name=ring\0")
    (folder / "modules.builtin").write_text("kernel/crypto/crc.ko\n")
    return KernelModules(folder)


def test_what_a_module_needs_comes_before_it(tmp_path: Path) -> None:
    modules = make_modules(tmp_path)
    assert modules.closure(["net_card", "bus"]) == ["ring", "bus", "net_card"]
    assert modules.closure(["crc"]) == []
    assert b"name=bus" in modules.read("bus")


def test_an_unknown_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModuleMissing, match="no module wifi"):
        make_modules(tmp_path).closure(["wifi"])


def test_install_tells_modprobe_what_to_load_first(tmp_path: Path) -> None:
    modules = make_modules(tmp_path / "from")
    modules.install(["net_card"], tmp_path / "to")
    assert (tmp_path / "to/modules.dep").read_text().splitlines() == [
        "kernel/ring.ko:",
        "kernel/bus.ko: kernel/ring.ko",
        "kernel/net_card.ko: kernel/bus.ko kernel/ring.ko",
    ]
    assert b"name=bus" in (tmp_path / "to/kernel/bus.ko").read_bytes()
