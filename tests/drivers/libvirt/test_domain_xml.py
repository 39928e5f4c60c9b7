"""The XML of domains, compared with files; and what libvirt says to it is in `test_compute`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hanok.drivers.base import Disk, DomainDisk, DomainPort, DomainSpec
from hanok.drivers.libvirt.domain_xml import (
    NAMESPACE,
    Accel,
    Backing,
    Surroundings,
    disk_xml,
    domain_xml,
    shape_in,
    shape_of,
    spec_digest,
)
from hanok.guest.config_drive import GuestConfig

GOLDEN = Path(__file__).with_name("golden")
SERVER = "5f8b0c1e-3a5e-4f5a-9a51-0d5a4a4f7d11"
ROOT = DomainDisk(Disk("root-1", "/srv/hanok/disks/root-1.qcow2", "qcow2", 20), "vda", "root-1", 1)
DATA = DomainDisk(Disk("data-1", "/srv/hanok/disks/data-1.qcow2", "qcow2", 5), "vdb", "data-1")
SPEC = DomainSpec(
    server_id=SERVER,
    name="web <1> & more",
    project_id="project-1",
    vcpus=2,
    ram_mib=512,
    disks=(ROOT, DATA),
    ports=(
        DomainPort("port-1", "fa:16:3e:00:00:01", "hkt000000000001", 1400),
        DomainPort("port-2", "fa:16:3e:00:00:02", "hkt000000000002"),
    ),
    guest=GuestConfig(SERVER, "web", "project-1", admin_pass="secret", user_data=b"secret"),
)


BACKINGS = {"root-1": Backing("/srv/hanok/images/image-1/disk", "raw")}


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  # our own text


def around(accel: Accel) -> Surroundings:
    folder = Path("/srv/hanok/domains", SERVER)
    return Surroundings(
        deployment_id="deployment-1",
        domain_name=f"hk-01234567-{SERVER}",
        accel=accel,
        config_drive=folder / "config.iso",
        console_log=folder / "console.log",
        backings=BACKINGS,
    )


@pytest.mark.parametrize("accel", ["tcg", "kvm"])
def test_a_domain_is_written_as_in_the_file(accel: Accel) -> None:
    assert domain_xml(SPEC, around(accel)) == (GOLDEN / f"domain_{accel}.xml").read_text()


def test_nothing_a_tenant_says_becomes_markup() -> None:
    hostile = '"/><evil a="&lt;'
    spec = replace(SPEC, project_id=hostile, disks=(replace(ROOT, serial="<b/>&"),))
    domain = parsed(domain_xml(spec, around("tcg")))
    server = domain.find(f"metadata/{{{NAMESPACE}}}server")
    assert server is not None
    assert server.get("project") == hostile
    assert domain.findtext("devices/disk/serial") == "<b/>&"
    assert list(domain.iter("evil")) == []


def test_no_secret_and_no_name_is_in_it() -> None:
    text = domain_xml(SPEC, around("tcg"))
    assert "secret" not in text
    assert SPEC.name not in text


def test_the_digest_tells_specs_apart() -> None:
    changed = [
        replace(SPEC, name="other"),
        replace(SPEC, project_id="other"),
        replace(SPEC, ports=(replace(SPEC.ports[0], mtu=1450), SPEC.ports[1])),
    ]
    digests = {spec_digest(spec) for spec in [SPEC, *changed]}
    assert len(digests) == 1 + len(changed)
    assert spec_digest(replace(SPEC)) == spec_digest(SPEC)


def test_the_shape_is_what_the_digest_leaves_out() -> None:
    changed = [
        replace(SPEC, vcpus=1),
        replace(SPEC, ram_mib=1024),
        replace(SPEC, disks=(ROOT,)),
        replace(SPEC, disks=(replace(ROOT, boot_index=None), DATA)),
        replace(SPEC, disks=(ROOT, replace(DATA, device="vdc"))),
        replace(SPEC, disks=(ROOT, replace(DATA, serial="other"))),
        replace(SPEC, disks=(ROOT, replace(DATA, disk=replace(DATA.disk, path="/other")))),
        replace(SPEC, disks=(ROOT, replace(DATA, disk=replace(DATA.disk, format="raw")))),
    ]
    assert {spec_digest(spec) for spec in [SPEC, *changed]} == {spec_digest(SPEC)}
    shapes = {shape_of(spec, BACKINGS) for spec in [SPEC, *changed]}
    assert len(shapes) == 1 + len(changed)
    assert shape_of(replace(SPEC, disks=(DATA, ROOT)), BACKINGS) == shape_of(SPEC, BACKINGS)


def test_the_shape_knows_the_images_below() -> None:
    """A disk that was replaced has the same name, and must not be read over its old image."""
    (disk_id,) = BACKINGS
    other = {disk_id: Backing("/srv/hanok/images/image-2/disk", "raw")}
    assert len({shape_of(SPEC, backings) for backings in (BACKINGS, other, {})}) == 3


def test_the_shape_is_read_from_a_definition() -> None:
    text = domain_xml(SPEC, around("tcg"))
    as_libvirt_writes = text.replace('<memory unit="MiB">512<', '<memory unit="KiB">524288<')
    assert as_libvirt_writes != text
    assert shape_in(as_libvirt_writes) == shape_of(SPEC, BACKINGS)


def test_the_digest_knows_no_secret() -> None:
    other = replace(SPEC, guest=GuestConfig(SERVER, "web", "project-1", admin_pass="other"))
    assert spec_digest(other) == spec_digest(SPEC)


def test_one_disk_is_written_as_in_its_domain() -> None:
    domain = parsed(domain_xml(SPEC, around("tcg")))
    inside = domain.findall("devices/disk")[0]
    alone = parsed(disk_xml(ROOT, Backing("/srv/hanok/images/image-1/disk", "raw")))
    for element in (inside, alone):
        ET.indent(element)
        element.tail = None
    assert ET.tostring(alone) == ET.tostring(inside)


def test_every_disk_names_its_whole_chain() -> None:
    domain = parsed(domain_xml(SPEC, around("tcg")))
    for disk in domain.findall("devices/disk[@device='disk']"):
        chain = disk.find("backingStore")
        assert chain is not None
        while chain.get("type") is not None:
            assert chain.find("format") is not None
            source = chain.find("source/seclabel")
            assert source is not None
            assert source.attrib == {"model": "dac", "relabel": "no"}
            deeper = chain.find("backingStore")
            assert deeper is not None
            chain = deeper
        assert list(chain) == []
