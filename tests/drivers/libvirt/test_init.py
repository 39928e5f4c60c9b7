"""How the driver is opened, and what is said on a machine that has no libvirt."""

from __future__ import annotations

import builtins
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from hanok.drivers import libvirt
from hanok.media.image_store import ImageStore
from hanok.model.errors import HostError

HOST = "hanok.drivers.libvirt.host"


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def without(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Let the driver be imported anew, with one module not to be found."""
    real = builtins.__import__

    def find(name: str, *rest: Any, **more: Any) -> Any:
        if name == HOST:
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, HOST, raising=False)
    monkeypatch.setattr(builtins, "__import__", find)


@pytest.mark.parametrize("missing", ["libvirt", "libvirtmod"])
def test_a_machine_without_the_binding_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, images: ImageStore, missing: str
) -> None:
    without(monkeypatch, missing)
    with pytest.raises(HostError) as refused:
        libvirt.open_host("d", tmp_path, images, "tcg")
    assert refused.value.permanent
    assert refused.value.message == "Real servers cannot run on this host."
    assert "apt install python3-libvirt" in refused.value.detail


def test_a_module_of_ours_that_is_missing_is_no_matter_of_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, images: ImageStore
) -> None:
    without(monkeypatch, "hanok.drivers.libvirt.compute")
    with pytest.raises(ImportError, match="compute"):
        libvirt.open_host("d", tmp_path, images, "tcg")


def test_everything_that_was_asked_for_is_handed_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, images: ImageStore
) -> None:
    asked: list[Any] = []
    host = importlib.import_module(HOST)

    def open_drivers(*given: object) -> str:
        asked.append(given)
        return "drivers"

    monkeypatch.setattr(host, "open_drivers", open_drivers)
    opened: object = libvirt.open_host("d", tmp_path, images, "kvm")
    libvirt.open_host("d", tmp_path, images, "tcg", "test:///default")
    assert opened == "drivers"
    assert asked == [
        ("d", tmp_path, images, "kvm", "qemu:///system"),
        ("d", tmp_path, images, "tcg", "test:///default"),
    ]
