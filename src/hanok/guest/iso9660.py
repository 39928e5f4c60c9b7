"""An ISO 9660 writer for small trees of files, on pycdlib: Rock Ridge, Joliet, no clock."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import pycdlib
from pycdlib.dates import DirectoryRecordDate, VolumeDescriptorDate

# pycdlib stamps its records with the time and zone of the call; 1 January 2000, UTC, instead
# makes equal files equal images.
_RECORD_DATE = struct.pack("=BBBBBBb", 100, 1, 1, 0, 0, 0, 0)
_VOLUME_DATE = b"2000010100000000\x00"
_SECTOR = 2048
_DESCRIPTORS = (16, 17)  # the sectors of the primary and of the Joliet volume descriptor
_MODIFIED = 830  # ECMA-119, 8.4.27: where a volume descriptor holds its modification date


def write(contents: Mapping[str, bytes], label: str) -> bytes:
    """Return an image that holds `contents` (relative path to bytes), labelled `label`.

    The same arguments give the same bytes. Names must differ within a folder when written in
    capitals with `-` as `_` (the names of plain ISO 9660, which nobody reads here).
    """
    disc = pycdlib.PyCdlib()
    disc.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=label)
    for folder in _folders(contents):
        disc.add_directory(
            _plain(folder), rr_name=folder.rpartition("/")[2], joliet_path=f"/{folder}"
        )
    for path in sorted(contents):
        content = contents[path]
        disc.add_fp(
            io.BytesIO(content),
            len(content),
            _plain(path) + ";1",
            rr_name=path.rpartition("/")[2],
            joliet_path=f"/{path}",
        )
    _fix_dates(disc)
    out = io.BytesIO()
    disc.write_fp(out)
    disc.close()
    image = bytearray(out.getvalue())
    for sector in _DESCRIPTORS:
        start = sector * _SECTOR + _MODIFIED
        image[start : start + len(_VOLUME_DATE)] = _VOLUME_DATE
    return bytes(image)


def _folders(contents: Mapping[str, bytes]) -> list[str]:
    """Every folder above the files, parents first."""
    found: set[str] = set()
    for path in contents:
        parts = path.split("/")[:-1]
        found.update("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    return sorted(found)


def _plain(path: str) -> str:
    return "/" + path.upper().replace("-", "_")


def _fix_dates(disc: Any) -> None:
    for descriptor in (disc.pvd, disc.joliet_vd):
        descriptor.volume_creation_date = _volume_date()
        descriptor.volume_effective_date = _volume_date()
        for record in _records(descriptor.root_directory_record()):
            record.date = _record_date()
            _fix_rock_ridge(record)


def _records(record: Any) -> Iterator[Any]:
    yield record
    for child in record.children:
        if child.is_dot() or child.is_dotdot() or not child.is_dir():
            yield child
        else:
            yield from _records(child)


def _fix_rock_ridge(record: Any) -> None:
    if record.rock_ridge is None:
        return
    for entries in (record.rock_ridge.dr_entries, record.rock_ridge.ce_entries):
        stamps = entries.tf_record if entries is not None else None
        if stamps is not None:
            stamps.access_time = _record_date()
            stamps.modification_time = _record_date()
            stamps.attribute_change_time = _record_date()


def _record_date() -> Any:
    date = DirectoryRecordDate()
    date.parse(_RECORD_DATE)
    return date


def _volume_date() -> Any:
    date = VolumeDescriptorDate()
    date.parse(_VOLUME_DATE)
    return date
