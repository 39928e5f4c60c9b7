"""The simulated driver: hosts, disks, networks and guests that need no hardware and no root."""

from __future__ import annotations
