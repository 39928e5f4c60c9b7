"""The libvirt driver: real QEMU guests on the machine that this process runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from hanok.drivers.base import Drivers
from hanok.media.image_store import ImageStore
from hanok.model.errors import HostError


def open_host(
    deployment_id: str,
    root: Path,
    images: ImageStore,
    accel: Literal["kvm", "tcg"],
    uri: str = "qemu:///system",
) -> Drivers:
    """Return the drivers of this host for one deployment, whose disks and folders lie in `root`.

    Starts libvirt's daemon where nobody does (`ensure_libvirtd`). Raises a permanent `HostError`
    where libvirt's binding is not installed, or `root` belongs to another deployment.
    """
    try:
        # The binding comes with the distribution; a machine without it has simulated hosts only.
        from hanok.drivers.libvirt.host import open_drivers  # noqa: PLC0415
    except ImportError as error:
        if error.name not in {"libvirt", "libvirtmod"}:
            raise
        detail = "libvirt's Python binding is not installed: apt install python3-libvirt"
        message = "Real servers cannot run on this host."
        raise HostError(message, detail=detail, permanent=True) from error
    return open_drivers(deployment_id, root, images, accel, uri)
