"""A host with libvirt for the suite that every driver passes, and proof that nothing is left.

Its folders lie outside pytest's own, which nobody but their owner may pass through: QEMU's user
must reach the disks. Whatever a failed test leaves is removed when the process ends.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import libvirt

from hanok.drivers.base import Drivers
from hanok.drivers.libvirt import open_host
from hanok.drivers.libvirt.connection import run_event_loop
from hanok.drivers.libvirt.daemon import ensure_libvirtd
from hanok.drivers.libvirt.names import Names
from hanok.media.image_store import ImageStore
from hanok.media.qemu_img import create_blank

IMAGE_ID = "7c0d6e0a-5d0b-4f43-8a53-0f6b2a9c1d22"
IMAGE_FORMAT = "qcow2"
IMAGE_GIB = 2

_TREES = Path("/var/tmp")
_LOGS = Path("/var/log/libvirt/qemu")


def open_libvirt(root: Path, uri: str = "qemu:///system") -> Drivers:
    """Open the host of the deployment that `root` stands for; the same root gives the same one."""
    tree = tree_of(root)
    if not tree.exists():
        tree.mkdir(mode=0o711)
        atexit.register(purge, root)
    return open_host(deployment_of(root), tree / "host", images_of(root), "tcg", uri)


def images_of(root: Path) -> ImageStore:
    """The images of that host: one, of 2 GiB, blank."""
    images = ImageStore(tree_of(root) / "images")
    if images.find(IMAGE_ID) is None:
        source = tree_of(root) / "image"
        create_blank(source, IMAGE_GIB << 30)
        images.add(IMAGE_ID, source, IMAGE_FORMAT)
        source.unlink()
    return images


def deployment_of(root: Path) -> str:
    return f"test-{hashlib.sha256(str(root).encode()).hexdigest()[:16]}"


def tree_of(root: Path) -> Path:
    """Where the host's folders lie; QEMU's user can reach them."""
    return _TREES / f"hanok-{deployment_of(root)}"


def leftovers(root: Path) -> list[str]:
    """What is still there of the deployment; where nothing is, its folders are removed too."""
    found = remaining(root)
    if not found:
        _forget(root)
    return found


def remaining(root: Path) -> list[str]:
    """What is still there of the deployment; it stays usable."""
    return [*_domains(root), *_network(root), *_processes(root), *_files(root)]


def purge(root: Path) -> None:
    """Make the whole deployment absent, whatever state it is in."""
    if not tree_of(root).exists():
        return
    drivers = open_libvirt(root)
    for domain in drivers.compute.list_domains():
        drivers.compute.delete(domain.server_id)
    networks = tree_of(root) / "host" / "networks"
    noted = {path.name for path in networks.glob("*/ports/*")}
    for port_id in noted | set(drivers.network.list_ports()):
        drivers.network.unplug(port_id)
    drivers.compute.close()
    _forget(root)


def _domains(root: Path) -> Iterator[str]:
    prefix = Names(deployment_of(root)).domain_prefix
    for domain in _libvirt().listAllDomains():
        if domain.name().startswith(prefix):
            yield f"domain/{domain.name()}"


def _network(root: Path) -> Iterator[str]:
    deployment = deployment_of(root)
    names = Names(deployment)
    for folder in sorted(Path("/sys/class/net").iterdir()):
        alias = (folder / "ifalias").read_text() if (folder / "ifalias").exists() else ""
        if deployment in alias:
            yield f"link/{folder.name}"
    for place in sorted(Path("/run/netns").glob(f"{names.domain_prefix}*")):
        yield f"namespace/{place.name}"
    tables = subprocess.run(
        ["nft", "list", "tables"], capture_output=True, text=True, timeout=10, check=True
    ).stdout
    if names.filter_table() in tables:
        yield f"table/{names.filter_table()}"


def _processes(root: Path) -> Iterator[str]:
    """The dnsmasqs and QEMUs that name a file or a domain of the deployment's."""
    marks = (str(tree_of(root)).encode(), Names(deployment_of(root)).domain_prefix.encode())
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if any(mark in words for mark in marks):
            yield f"process/{folder.name} {words[:60]!r}"


def _files(root: Path) -> Iterator[str]:
    host = tree_of(root) / "host"
    for kind in ("disks", "domains", "networks"):
        for path in sorted((host / kind).rglob("*")):
            yield str(path.relative_to(host))


def _forget(root: Path) -> None:
    shutil.rmtree(tree_of(root), ignore_errors=True)
    for log in _LOGS.glob(f"{Names(deployment_of(root)).domain_prefix}*"):
        log.unlink(missing_ok=True)


@cache
def _libvirt() -> libvirt.virConnect:
    ensure_libvirtd()
    run_event_loop()
    return libvirt.open("qemu:///system")
