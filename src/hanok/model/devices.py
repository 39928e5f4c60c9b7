"""The names of a server's disks, as its guest sees them."""

from __future__ import annotations

import string
from collections.abc import Collection

from hanok.model.errors import Forbidden

MOST = 26
"""The disks that a server can have: vda to vdz."""
ROOT = "vda"
RESCUE = "vda.rescue"
REBUILD = "vda.rebuild"
STAND_INS = frozenset({RESCUE, REBUILD})
"""Names for disks that stand in for the root disk, or are to replace it; no guest sees them."""


def lowest_free(taken: Collection[str]) -> str:
    """Return the first free name from vdb on (vda is the root's); raises Forbidden after vdz."""
    for letter in string.ascii_lowercase[1:MOST]:
        if f"vd{letter}" not in taken:
            return f"vd{letter}"
    raise Forbidden(f"An instance has at most {MOST} disks.")


def name(number: int) -> str:
    """Return the name of a guest's disk by its place: 0 is vda, 25 vdz, 26 vdaa.

    A rescued server with the most disks has one more.
    """
    letters = string.ascii_lowercase
    first = letters[number // MOST - 1] if number >= MOST else ""
    return f"vd{first}{letters[number % MOST]}"
