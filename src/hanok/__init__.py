"""A whole cloud region in one process: NHN Cloud's Instance API v2 over real virtual machines."""

from __future__ import annotations

__version__ = "0.1.0"
