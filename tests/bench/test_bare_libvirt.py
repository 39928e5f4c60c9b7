from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.bare_libvirt import BareLibvirtError, bare_xml, wait_until

DEFINITION = """
<domain type="qemu">
  <name>hk-1</name>
  <uuid>00000000-0000-4000-8000-000000000000</uuid>
  <metadata><server deployment="d"/></metadata>
  <memory unit="MiB">2048</memory>
  <devices>
    <disk type="file" device="disk">
      <source file="/disks/a.qcow2"/>
      <backingStore type="file"><source file="/images/i"/></backingStore>
    </disk>
    <disk type="file" device="cdrom"><source file="/domains/config.iso"/></disk>
    <interface type="ethernet"><target dev="tap7" managed="no"/></interface>
    <serial type="pty"><log file="/domains/console.log" append="on"/></serial>
  </devices>
</domain>
"""
FILES = {"/disks/a.qcow2": "/own/b.qcow2", "/domains/config.iso": "/own/config.iso"}


def test_a_bare_domain_is_the_same_with_a_name_and_files_of_its_own() -> None:
    made = ET.fromstring(bare_xml(DEFINITION, "bare-hk-1", FILES, Path("/own")))  # noqa: S314 - ours
    assert made.findtext("name") == "bare-hk-1"
    assert made.findtext("uuid") not in ("", "00000000-0000-4000-8000-000000000000")
    assert made.find("metadata") is None
    assert made.findtext("memory") == "2048"
    sources = [one.get("file") for one in made.iterfind("devices/disk/source")]
    assert sources == ["/own/b.qcow2", "/own/config.iso"]
    # The image below is the same: only what the guest writes is its own.
    backing = made.find("devices/disk/backingStore/source")
    assert backing is not None
    assert backing.get("file") == "/images/i"
    assert [one.get("dev") for one in made.iterfind("devices/interface/target")] == ["tap7"]
    assert [one.get("file") for one in made.iterfind("devices/serial/log")] == ["/own/console.log"]


def test_a_disk_that_two_domains_would_share_is_refused() -> None:
    files = {path: own for path, own in FILES.items() if path.endswith(".iso")}
    with pytest.raises(BareLibvirtError, match=r"/disks/a\.qcow2"):
        bare_xml(DEFINITION, "bare-hk-1", files, Path("/own"))


def test_what_never_comes_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.bare_libvirt._SECONDS", 0.01)
    with pytest.raises(BareLibvirtError, match="the guest still runs"):
        wait_until(lambda: False, "the guest still runs")
