"""One host's drivers, wired together."""

from __future__ import annotations

from pathlib import Path

from hanok.drivers.base import Drivers
from hanok.drivers.libvirt.compute import Host, LibvirtCompute
from hanok.drivers.libvirt.connection import Connection
from hanok.drivers.libvirt.daemon import ensure_libvirtd
from hanok.drivers.libvirt.disk_holders import DiskHolders
from hanok.drivers.libvirt.domain_xml import Accel
from hanok.drivers.libvirt.host_tree import HostTree
from hanok.drivers.libvirt.names import Names
from hanok.drivers.libvirt.network import LibvirtNetwork
from hanok.drivers.libvirt.storage import LibvirtStorage
from hanok.media.image_store import ImageStore


def open_drivers(
    deployment_id: str, root: Path, images: ImageStore, accel: Accel, uri: str
) -> Drivers:
    """Claim the tree, find libvirt, and return the drivers; see `open_host`."""
    names, tree = Names(deployment_id), HostTree(root.resolve())
    tree.claim(deployment_id)
    ensure_libvirtd(uri)
    holders = DiskHolders(tree.disks)
    return Drivers(
        compute=LibvirtCompute(Host(names, tree, images, accel), Connection(uri), holders),
        storage=LibvirtStorage(tree.disks, images, holders),
        network=LibvirtNetwork(names, tree.networks),
    )
