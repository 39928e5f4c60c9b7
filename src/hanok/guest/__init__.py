"""What a guest is told (the config drive) and made of (the images built here)."""

from __future__ import annotations
