"""The names of a server's disks, as its guest sees them."""

from __future__ import annotations

import string
from collections.abc import Collection

from hanok.model.errors import Forbidden

MOST = 26
"""The disks that a server can have: vda to vdz."""


def lowest_free(taken: Collection[str]) -> str:
    """Return the first free name from vdb on (vda is the root's); raises Forbidden after vdz."""
    for letter in string.ascii_lowercase[1:MOST]:
        if f"vd{letter}" not in taken:
            return f"vd{letter}"
    raise Forbidden(f"An instance has at most {MOST} disks.")
