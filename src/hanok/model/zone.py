"""An availability zone: a part of a region that fails on its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone; one that is not available takes no new servers."""

    name: str
    available: bool
