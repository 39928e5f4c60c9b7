"""qcow2 files made by hand, valid or wrong in one chosen way."""

from __future__ import annotations

import struct
from typing import Any

CLUSTER = 1 << 16
GIB = 1 << 30


def qcow2(extensions: bytes = b"", tail: bytes = b"", **changes: Any) -> bytes:
    """A version 3 image of 1 GiB without data: header, refcount table and block, L1 table.

    `changes` replaces header fields by name; `extensions` follow the header; `tail` the clusters.
    """
    fields: dict[str, Any] = {
        "magic": b"QFI\xfb",
        "version": 3,
        "backing_offset": 0,
        "backing_length": 0,
        "cluster_bits": 16,
        "virtual_size": GIB,
        "crypt_method": 0,
        "l1_entries": 2,
        "l1_offset": 3 * CLUSTER,
        "refcount_offset": CLUSTER,
        "refcount_clusters": 1,
        "snapshots": 0,
        "snapshots_offset": 0,
        "incompatible": 0,
        "compatible": 0,
        "autoclear": 0,
        "refcount_order": 4,
        "header_length": 104,
    }
    assert changes.keys() <= fields.keys()
    header = struct.pack(">4sIQIIQIIQQIIQQQQII", *(fields | changes).values())
    first = (header + extensions).ljust(CLUSTER, b"\0")
    return first + bytes(3 * CLUSTER) + tail


def extension(kind: int, content: bytes) -> bytes:
    """A header extension, padded to eight bytes."""
    return struct.pack(">II", kind, len(content)) + content + bytes(-len(content) % 8)
