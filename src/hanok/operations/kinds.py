"""Every kind of durable operation that this release can carry on, old versions included."""

from __future__ import annotations

from hanok.engine.steps import Operation
from hanok.operations import (
    create_server,
    create_volume,
    delete_server,
    delete_volume,
    reboot_server,
    start_server,
    stop_server,
)

KINDS: tuple[Operation, ...] = (
    create_server.KIND,
    create_volume.KIND,
    delete_server.KIND,
    delete_volume.KIND,
    start_server.KIND,
    stop_server.KIND,
    reboot_server.SOFT,
    reboot_server.HARD,
)
