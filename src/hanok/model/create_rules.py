"""The rules of creating a server: pure functions over the request, the flavor and the image.

Sources: the guide, "Create Instance" (Windows, sizes, U2, counts, lengths) and Nova's checks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hanok.model.devices import MOST
from hanok.model.errors import Forbidden, Invalid, NotImplemented_, QuotaExceeded
from hanok.model.flavor import Flavor
from hanok.model.image import Image
from hanok.model.server_create import BlockDevice, ServerCreate

GIB = 1024**3
NAME = 255
"""Characters of an instance's name at most."""
ZERO_DISK = "Only volume-backed servers are allowed for flavors with zero disk."
_KEY = re.compile(r"[a-zA-Z0-9\-_:. ]{1,255}")
_BAD_BOOT = (
    "Block Device Mapping is Invalid: Boot sequence for the instance and image/block device "
    "mapping combination is not valid."
)


@dataclass(frozen=True, slots=True)
class CreateRules:
    """A dialect's limits: sizes in GiB, memory in MiB, lengths in characters."""

    max_count: int | None
    linux_root_gib: int
    windows_root_gib: int
    windows_ram_mib: int
    windows_name: int


@dataclass(frozen=True, slots=True)
class Root:
    """The root disk that a request comes to."""

    destination: str
    size_gib: int
    volume_type: str | None
    delete_on_termination: bool


def check_counts(request: ServerCreate, rules: CreateRules) -> None:
    """Check min_count and max_count."""
    if request.min_count > request.max_count:
        raise Invalid("min_count must be <= max_count")
    if rules.max_count is not None and request.max_count > rules.max_count:
        raise Invalid(
            f"Invalid input for field/attribute max_count. Value: {request.max_count}. "
            f"{request.max_count} is greater than the maximum of {rules.max_count}"
        )
    if len(_longest_name(request)) > NAME:
        raise Invalid(
            f"Invalid input for field/attribute name. With the number that each of several "
            f"instances gets (-1, -2, …) it has more than {NAME} characters."
        )


def _longest_name(request: ServerCreate) -> str:
    """Return the name of the last server that a request may make; several are numbered."""
    return request.name if request.max_count == 1 else f"{request.name}-{request.max_count}"


def check_metadata(given: Mapping[str, str], total: int, limit: int) -> None:
    """Check the keys and values of a request, and how many there are with it; -1 is no limit.

    What was stored before is not looked at again: it could not be mended otherwise.
    """
    check_items(given)
    if 0 <= limit < total:
        raise QuotaExceeded(f"Maximum number of metadata items exceeds {limit}")


def check_items(metadata: Mapping[str, str]) -> None:
    """Check each key (Nova's characters) and value of a server's or an image's metadata."""
    for key, value in metadata.items():
        if not _KEY.fullmatch(key) or len(value) > 255:
            raise Invalid(
                "Invalid input for field/attribute metadata. Keys have 1 to 255 letters, digits, "
                "spaces, '-', '_', ':' and '.', values at most 255 characters; "
                f"'{key[:32]}' does not fit."
            )


def root_device(request: ServerCreate) -> BlockDevice | None:
    """Return the requested root disk; refuses what cannot be booted from or is not offered.

    The places in the boot order are 0, 1, 2, …, each once (Nova); a negative one, or none, is no
    place in it.
    """
    order = sorted(place for place in map(_place, request.block_devices) if place >= 0)
    if order != list(range(len(order))) or (request.block_devices and not order):
        raise Invalid(_BAD_BOOT)
    roots = [device for device in request.block_devices if device.boot_index == 0]
    for device in request.block_devices:
        if device.encrypted:
            raise NotImplemented_("Block storage encryption (nhn_encryption) is not offered.")
        if device.source not in ("image", "blank"):
            raise NotImplemented_(
                f"Block storage from source_type '{device.source}' is not offered; use 'image' or "
                "'blank'."
            )
    if roots and roots[0].source != "image":
        raise Invalid(_BAD_BOOT)
    return roots[0] if roots else None


def further_devices(request: ServerCreate) -> list[BlockDevice]:
    """Return the requested block storage beside the root disk, in its boot order.

    It is blank or from an image, always a volume, and has a size of its own.
    """
    devices = [device for device in request.block_devices if device.boot_index != 0]
    if len(devices) >= MOST:
        raise Forbidden(f"An instance has at most {MOST} disks.")
    for device in devices:
        if device.destination != "volume":
            raise Invalid("Additional block storage needs the destination_type 'volume'.")
        if device.source == "blank" and device.source_id:
            raise Invalid("Block Device Mapping is Invalid: Invalid device UUID.")
        if not device.size_gib and device.source == "blank":
            raise Invalid(
                "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size"
            )
        if not device.size_gib or (device.source == "image" and not device.source_id):
            raise Invalid(
                "Images with destination_type 'volume' need an image and a non-zero size specified"
            )
    return sorted(devices, key=_boot_order)


def _place(device: BlockDevice) -> int:
    return -1 if device.boot_index is None else device.boot_index


def _boot_order(device: BlockDevice) -> tuple[bool, int]:
    """Put what is never booted from (no index, or a negative one) behind the others."""
    place = _place(device)
    return (True, 0) if place < 0 else (False, place)


def root_disk(device: BlockDevice | None, flavor: Flavor) -> Root:
    """Decide where the root disk lies and how large it is.

    U2 flavors have a local disk of the flavor's size; every other flavor (disk 0) a volume.
    """
    local = device is None or device.destination == "local"
    if flavor.disk_gib == 0:
        if local or device is None:
            raise Forbidden(ZERO_DISK)
        if not device.size_gib:
            raise Invalid(
                "Images with destination_type 'volume' need to have a non-zero size specified"
            )
        return Root("volume", device.size_gib, device.volume_type, device.delete_on_termination)
    if not local:
        raise Invalid(
            f"Flavor {flavor.name} keeps its root disk on the host: "
            "block_device_mapping_v2.destination_type must be 'local'."
        )
    return Root("local", flavor.disk_gib, None, True)


def check_image(
    request: ServerCreate, rules: CreateRules, flavor: Flavor, image: Image, root: Root
) -> None:
    """Check what the image asks of the flavor and the root disk."""
    check_active(image)
    check_memory(rules, flavor, image.min_ram_mib, image.properties)
    if root.destination == "local" and root.size_gib < needed_gib(image):
        raise Invalid(
            f"Flavor's disk is too small for requested image: it has {root.size_gib} GB, "
            f"the image needs {needed_gib(image)} GB."
        )
    check_size(image, root.size_gib)
    if _is_windows(image.properties):
        _check_windows(request, rules, root)
    elif root.size_gib < rules.linux_root_gib:
        raise Invalid(
            f"The root block storage of a Linux instance must be at least "
            f"{rules.linux_root_gib} GB; {root.size_gib} GB was asked for."
        )


def check_active(image: Image) -> None:
    """Check that disks can be made from an image now."""
    if image.status != "active":
        raise Invalid(f"Image {image.id} is not active.")


def check_memory(
    rules: CreateRules, flavor: Flavor, min_ram_mib: int, properties: Mapping[str, Any]
) -> None:
    """Check that a flavor has the memory that an image, or its system, asks for."""
    if flavor.ram_mib < min_ram_mib:
        raise Invalid("Flavor's memory is too small for requested image.")
    if _is_windows(properties) and flavor.ram_mib < rules.windows_ram_mib:
        raise Invalid(
            f"Windows instances need a flavor with at least {rules.windows_ram_mib} MB of RAM."
        )


def _is_windows(properties: Mapping[str, Any]) -> bool:
    return str(properties.get("os_type", "")).lower() == "windows"


def needed_gib(image: Image) -> int:
    """Return the size of the smallest disk that an image fits on."""
    return max(image.min_disk_gib, -(-(image.virtual_bytes or 0) // GIB))


def check_size(image: Image, size_gib: int) -> None:
    """Check that an image fits on a volume."""
    if size_gib < needed_gib(image):
        raise Invalid(
            f"Block storage of {size_gib} GB is smaller than the {needed_gib(image)} GB that the "
            "image needs."
        )


def _check_windows(request: ServerCreate, rules: CreateRules, root: Root) -> None:
    if root.destination == "local" and rules.windows_name:
        raise Invalid("Windows images cannot be used with U2 flavors.")
    if root.size_gib < rules.windows_root_gib:
        raise Invalid(
            f"The root block storage of a Windows instance must be at least "
            f"{rules.windows_root_gib} GB."
        )
    if rules.windows_name and len(_longest_name(request)) > rules.windows_name:
        raise Invalid(
            f"The name of a Windows instance has at most {rules.windows_name} characters, the "
            "number of one of several among them."
        )
