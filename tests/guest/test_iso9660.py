from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator

import pycdlib
import pytest

from hanok.guest import iso9660

FILES = {
    "openstack/latest/meta_data.json": b'{"uuid": "1"}',
    "openstack/latest/user_data": b"#!/bin/sh\n\x00\xff" * 3000,
    "openstack/2018-08-27/meta_data.json": b'{"uuid": "1"}',
    "ec2/latest/meta-data.json": b"",
}


@pytest.fixture
def zone() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize("names", ["rr_path", "joliet_path"])
def test_every_file_reads_back_under_its_own_name(names: str) -> None:
    disc = pycdlib.PyCdlib()
    disc.open_fp(io.BytesIO(iso9660.write(FILES, "config-2")))
    found = {}
    for folder, _, files in disc.walk(**{names: "/"}):
        for file in files:
            path = f"{folder.rstrip('/')}/{file}"
            out = io.BytesIO()
            disc.get_file_from_iso_fp(out, **{names: path})
            found[path.lstrip("/")] = out.getvalue()
    label = disc.pvd.volume_identifier
    disc.close()
    assert found == FILES
    assert label.rstrip() == b"config-2"


def test_same_files_give_same_bytes_at_any_time_in_any_zone(
    monkeypatch: pytest.MonkeyPatch, zone: None
) -> None:
    first = iso9660.write(FILES, "config-2")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1_000_000)
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    assert iso9660.write(dict(reversed(FILES.items())), "config-2") == first
    assert iso9660.write(FILES | {"x": b"1"}, "config-2") != first
