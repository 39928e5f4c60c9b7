"""A domain as libvirt's XML, built from elements, never from text.

Pure: what it is given decides every byte. Which devices a guest gets and why is said here.
Source of the format: libvirt's "Domain XML format".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Literal
from xml.etree import ElementTree as ET

from hanok.drivers.base import DomainDisk, DomainPort, DomainSpec
from hanok.model.devices import MOST

NAMESPACE: Final = "urn:hanok:domain:1"
"""The XML namespace of our element in a domain's metadata."""

PREFIX: Final = "hanok"

Accel = Literal["kvm", "tcg"]

TRANSLATION_CACHE_MIB: Final = 64
"""What QEMU keeps of translated code; by itself it would take a quarter of the host's memory."""

_OWN_PCIE_DEVICES: Final = 4  # SCSI and serial controllers, balloon, random numbers
_SPARE_PCIE_PORTS: Final = {"kvm": MOST, "tcg": 12}

ET.register_namespace(PREFIX, NAMESPACE)


@dataclass(frozen=True, slots=True)
class Backing:
    """The image below a disk: where its bytes lie and in which format."""

    path: str
    format: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a domain's XML needs of its host, beside the spec.

    `backings` maps disk ids to the images below them; a disk without one stands alone.
    """

    deployment_id: str
    domain_name: str
    accel: Accel
    config_drive: Path
    console_log: Path
    backings: Mapping[str, Backing]


def spec_digest(spec: DomainSpec) -> str:
    """Return what tells one spec from another, of what stays as long as the domain is there.

    Its size and disks change (`Shape`). What the guest is told holds secrets, anybody on the host
    may read a domain's metadata, and a digest lets short secrets be guessed: the config drive's
    bytes are compared themselves.
    """
    left_out = ("guest", "vcpus", "ram_mib", "disks")
    plain = {f.name: getattr(spec, f.name) for f in fields(spec) if f.name not in left_out}
    text = json.dumps(plain, sort_keys=True, default=asdict)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class DiskShape:
    """A disk as a definition has it: what is compared of it.

    The image below counts: a disk that was replaced is the same to the spec, and must not be read
    over its old image.
    """

    path: str
    format: str
    device: str
    serial: str
    boot_index: int | None
    backing: Backing | None


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a domain changes while it is there: its size, and its disks."""

    vcpus: int
    ram_mib: int
    disks: frozenset[DiskShape]


def shape_of(spec: DomainSpec, backings: Mapping[str, Backing]) -> Shape:
    """Return the shape that a spec asks for; `backings` as in `Surroundings`."""
    disks = (
        DiskShape(
            path=one.disk.path,
            format=one.disk.format,
            device=one.device,
            serial=one.serial,
            boot_index=one.boot_index,
            backing=backings.get(one.disk.disk_id),
        )
        for one in spec.disks
    )
    return Shape(spec.vcpus, spec.ram_mib, frozenset(disks))


def shape_in(xml: str) -> Shape:
    """Return the shape that a definition has; libvirt writes memory in KiB."""
    domain = ET.fromstring(xml)  # noqa: S314  # libvirt's own answer
    disks = (_shape_of_disk(one) for one in domain.iterfind("devices/disk[@device='disk']"))
    return Shape(
        vcpus=int(domain.findtext("vcpu", "0")),
        ram_mib=int(domain.findtext("memory", "0")) >> 10,
        disks=frozenset(disks),
    )


def _shape_of_disk(disk: ET.Element) -> DiskShape:
    def of(tag: str, name: str) -> str:
        found = disk.find(tag)
        return "" if found is None else found.get(name, "")

    order, below = of("boot", "order"), of("backingStore/source", "file")
    return DiskShape(
        path=of("source", "file"),
        format=of("driver", "type"),
        device=of("target", "dev"),
        serial=disk.findtext("serial", ""),
        boot_index=int(order) if order else None,
        backing=Backing(below, of("backingStore/format", "type")) if below else None,
    )


def domain_xml(spec: DomainSpec, around: Surroundings) -> str:
    """Write the domain's XML."""
    kvm = around.accel == "kvm"
    domain = ET.Element("domain", type="kvm" if kvm else "qemu")
    _text(domain, "name", around.domain_name)
    _text(domain, "uuid", spec.server_id)
    _metadata(domain, spec, around)
    _text(domain, "memory", str(spec.ram_mib), unit="MiB")
    _text(domain, "vcpu", str(spec.vcpus))
    system = ET.SubElement(domain, "os")
    _text(system, "type", "hvm", arch="x86_64", machine="q35")
    _features(domain, kvm=kvm)
    # TCG emulates every feature that it knows: software built for newer processors runs too.
    ET.SubElement(domain, "cpu", mode="host-passthrough" if kvm else "maximum", check="none")
    ET.SubElement(domain, "clock", offset="utc")
    _text(domain, "on_poweroff", "destroy")
    _text(domain, "on_reboot", "restart")
    _text(domain, "on_crash", "destroy")
    _devices(ET.SubElement(domain, "devices"), spec, around)
    ET.indent(domain)
    return ET.tostring(domain, encoding="unicode") + "\n"


def _metadata(domain: ET.Element, spec: DomainSpec, around: Surroundings) -> None:
    metadata = ET.SubElement(domain, "metadata")
    facts = {
        "deployment": around.deployment_id,
        "server": spec.server_id,
        "project": spec.project_id,
        "spec": spec_digest(spec),
    }
    ET.SubElement(metadata, f"{{{NAMESPACE}}}server", facts)


def _features(domain: ET.Element, *, kvm: bool) -> None:
    features = ET.SubElement(domain, "features")
    ET.SubElement(features, "acpi")
    ET.SubElement(features, "apic")
    ET.SubElement(features, "vmport", state="off")
    if not kvm:
        tcg = ET.SubElement(features, "tcg")
        _text(tcg, "tb-cache", str(TRANSLATION_CACHE_MIB), unit="MiB")


def _devices(devices: ET.Element, spec: DomainSpec, around: Surroundings) -> None:
    for disk in spec.disks:
        _disk(devices, disk, around.backings.get(disk.disk.disk_id))
    _config_drive(devices, around.config_drive)
    ET.SubElement(devices, "controller", type="pci", index="0", model="pcie-root")
    # A PCIe port takes one device, and none can be added to a guest that runs: some are spare, for
    # what is attached later. An emulated guest takes 0.05 s longer to boot for each.
    spare = _SPARE_PCIE_PORTS[around.accel]
    for _ in range(len(spec.disks) + len(spec.ports) + _OWN_PCIE_DEVICES + spare):
        ET.SubElement(devices, "controller", type="pci", model="pcie-root-port")
    ET.SubElement(devices, "controller", type="usb", model="none")
    for port in spec.ports:
        _interface(devices, port)
    _console(devices, around.console_log)
    channel = ET.SubElement(devices, "channel", type="unix")
    ET.SubElement(channel, "target", type="virtio", name="org.qemu.guest_agent.0")
    # A socket that only root and QEMU's user reach: a port would show the screen to every user.
    graphics = ET.SubElement(devices, "graphics", type="vnc")
    ET.SubElement(graphics, "listen", type="socket")
    video = ET.SubElement(devices, "video")
    ET.SubElement(video, "model", type="vga", vram="16384", heads="1")
    ET.SubElement(devices, "memballoon", model="virtio", freePageReporting="on")
    rng = ET.SubElement(devices, "rng", model="virtio")
    _text(rng, "backend", "/dev/urandom", model="random")


def disk_xml(disk: DomainDisk, backing: Backing | None) -> str:
    """Return the element of one disk, to be plugged into a domain that is there."""
    devices = ET.Element("devices")
    _disk(devices, disk, backing)
    return ET.tostring(devices[0], encoding="unicode")


def _disk(devices: ET.Element, disk: DomainDisk, backing: Backing | None) -> None:
    element = ET.SubElement(devices, "disk", type="file", device="disk")
    ET.SubElement(element, "driver", name="qemu", type=disk.disk.format, discard="unmap")
    ET.SubElement(element, "source", file=disk.disk.path)
    # The whole chain is spelled out, so that nobody reads a format from a tenant's bytes.
    chain = ET.SubElement(element, "backingStore")
    if backing is not None:
        chain.set("type", "file")
        ET.SubElement(chain, "format", type=backing.format)
        source = ET.SubElement(chain, "source", file=backing.path)
        # Many guests read an image; none may own it, since an owner can write.
        ET.SubElement(source, "seclabel", model="dac", relabel="no")
        ET.SubElement(chain, "backingStore")
    ET.SubElement(element, "target", dev=disk.device, bus="virtio")
    _text(element, "serial", disk.serial)
    if disk.boot_index is not None:
        ET.SubElement(element, "boot", order=str(disk.boot_index))


def _config_drive(devices: ET.Element, path: Path) -> None:
    """Add the config drive as a SCSI CD-ROM: as a virtio disk it would take a vdX name."""
    ET.SubElement(devices, "controller", type="scsi", index="0", model="virtio-scsi")
    element = ET.SubElement(devices, "disk", type="file", device="cdrom")
    ET.SubElement(element, "driver", name="qemu", type="raw")
    ET.SubElement(element, "source", file=str(path))
    ET.SubElement(element, "target", dev="sda", bus="scsi")
    ET.SubElement(element, "readonly")


def _interface(devices: ET.Element, port: DomainPort) -> None:
    """Add an interface on a tap that is there already; libvirt only opens it."""
    element = ET.SubElement(devices, "interface", type="ethernet")
    ET.SubElement(element, "mac", address=port.mac)
    ET.SubElement(element, "target", dev=port.tap, managed="no")
    ET.SubElement(element, "model", type="virtio")
    ET.SubElement(element, "mtu", size=str(port.mtu))
    # Nothing is booted from the network, and looking for it costs time at each boot.
    ET.SubElement(element, "rom", enabled="no")


def _console(devices: ET.Element, log: Path) -> None:
    """Add the serial console: a pseudo-terminal, all of whose output is also kept."""
    serial = ET.SubElement(devices, "serial", type="pty")
    ET.SubElement(serial, "log", file=str(log), append="on")
    ET.SubElement(ET.SubElement(serial, "target", type="isa-serial", port="0"), "model").set(
        "name", "isa-serial"
    )
    console = ET.SubElement(devices, "console", type="pty")
    ET.SubElement(console, "target", type="serial", port="0")


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text
