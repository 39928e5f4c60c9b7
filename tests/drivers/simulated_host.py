"""A simulated host for the suite that every driver passes.

Each kind of host has such a module: `open_<kind>`, `leftovers` and the image that it has.
"""

from __future__ import annotations

from pathlib import Path

from hanok.drivers.base import Drivers
from hanok.drivers.simulated.config import GIB, SimulatedConfig
from hanok.drivers.simulated.host import open_host
from hanok.drivers.simulated.world import World

IMAGE_ID = "3f7a6cda-8d37-4c39-9b0a-6a0c7d3a1a11"
IMAGE_FORMAT = "qcow2"
IMAGE_GIB = 2


def open_simulated(root: Path) -> Drivers:
    """Open the host whose world is `root`; the same root gives the same host and deployment."""
    return open_host(
        f"deployment-{root.name}", root, SimulatedConfig(images={IMAGE_ID: IMAGE_GIB * GIB})
    )


def leftovers(root: Path) -> list[str]:
    """What is still there of the host whose world is `root`."""
    return [f"{kind}/{one}" for kind, found in World(root).contents().items() for one in found]
