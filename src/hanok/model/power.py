"""The power states of a domain, with Nova's numbers."""

from __future__ import annotations

from enum import IntEnum


class PowerState(IntEnum):
    """What a host last saw of a domain (Nova's `nova.compute.power_state`)."""

    NOSTATE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6
    SUSPENDED = 7
