"""Opens a simulated host."""

from __future__ import annotations

from pathlib import Path

from hanok.drivers.base import Drivers
from hanok.drivers.simulated.compute import SimulatedCompute
from hanok.drivers.simulated.config import SimulatedConfig
from hanok.drivers.simulated.faults import Faults
from hanok.drivers.simulated.network import SimulatedNetwork
from hanok.drivers.simulated.records import WorldFiles
from hanok.drivers.simulated.storage import SimulatedStorage


def open_host(deployment_id: str, root: Path, config: SimulatedConfig | None = None) -> Drivers:
    """Open the world in the folder `root`, made if absent, for one deployment.

    Closing its compute driver closes it; the world goes on, and may be opened again.
    """
    config = config or SimulatedConfig()
    files = WorldFiles(root)
    files.sweep()
    faults = Faults(files.faults, config)
    return Drivers(
        compute=SimulatedCompute(deployment_id, files, config, faults),
        storage=SimulatedStorage(deployment_id, files, config, faults),
        network=SimulatedNetwork(deployment_id, files, faults),
    )
