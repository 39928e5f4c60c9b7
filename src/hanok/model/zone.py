"""Availability zones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Zone:
    """An availability zone."""

    name: str
    available: bool
