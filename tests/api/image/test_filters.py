from __future__ import annotations

from typing import Any

import pytest

from hanok.api._paging import Page
from hanok.api._query import Query
from hanok.api.image.filters import read_listing
from hanok.model.errors import Invalid
from hanok.store.images import Bound, Listing

PROJECT = "a" * 32


def read(text: str) -> Listing:
    return read_listing(Query(text), Page(7, "m"), PROJECT)


def test_without_filters_the_newest_come_first() -> None:
    assert read("limit=7&marker=m") == Listing(
        project_id=PROJECT,
        limit=8,
        bounds=[],
        tags=[],
        sort=[("created_at", True)],
        marker="m",
    )


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("visibility=shared&member_status=all", "visibility", "shared"),
        ("id=in:a,b", "among", {"id": ["a", "b"]}),
        ("id=in:", "among", {"id": []}),
        ('name=in:"a,b",c', "among", {"name": ["a,b", "c"]}),
        ("protected=True", "among", {"protected": [True]}),
        ("os_hidden=true", "among", {"id": []}),
        ("os_hidden=false", "among", {}),
        ("os_hash_value=abc", "among", {"id": []}),
        ("name=x", "bounds", [Bound("name", "eq", "x")]),
        ("name=", "bounds", [Bound("name", "eq", "")]),
        ("name=eq:x", "bounds", [Bound("name", "eq", "x")]),
        ("status=neq:active", "bounds", [Bound("status", "neq", "active")]),
        ("name=ubuntu:22.04", "bounds", [Bound("name", "eq", "ubuntu:22.04")]),
        ("name=gt:1", "bounds", [Bound("name", "eq", "gt:1")]),
        ("owner=o", "bounds", [Bound("owner", "eq", "o")]),
        ("size_min=5", "bounds", [Bound("size", "gte", 5)]),
        (f"size_max={2**63 - 1}", "bounds", [Bound("size", "lte", 2**63 - 1)]),
        ("min_ram=512", "bounds", [Bound("min_ram", "eq", 512)]),
        (
            "created_at=gte:2023-11-14T22:13:20Z",
            "bounds",
            [Bound("created_at", "gte", 1_700_000_000)],
        ),
        (
            "updated_at=2023-11-14T23:13:20+01:00",
            "bounds",
            [Bound("updated_at", "eq", 1_700_000_000)],
        ),
        (
            "created_at=lt:2023-11-14T22:13:20",
            "bounds",
            [Bound("created_at", "lt", 1_700_000_000)],
        ),
        ("tag=a&tag=b", "tags", ["a", "b"]),
        ("os_type=linux&x=1", "properties", {"os_type": "linux", "x": "1"}),
        ("sort_key=name", "sort", [("name", True)]),
        ("sort_key=name&sort_key=size&sort_dir=asc", "sort", [("name", False), ("size", False)]),
        (
            "sort_key=name&sort_key=size&sort_dir=asc&sort_dir=desc",
            "sort",
            [("name", False), ("size", True)],
        ),
        ("sort=name:asc,size", "sort", [("name", False), ("size", True)]),
        ("sort_dir=asc", "sort", [("created_at", False)]),
    ],
)
def test_what_clients_send(text: str, name: str, wanted: Any) -> None:
    listing = read(text)
    assert getattr(listing, name) == wanted
    for other in {"among", "bounds", "properties", "tags"} - {name}:
        assert not getattr(listing, other)


@pytest.mark.parametrize(
    "text",
    [
        "visibility=",
        "visibility=secret",
        "member_status=maybe",
        "protected=1",
        "os_hidden=x",
        "size_min=-1",
        "size_max=x",
        f"size_max={2**63}",
        "size_max=" + "9" * 5000,
        "min_disk=1.5",
        "created_at=yesterday",
        "created_at=gt:",
        'name=in:"a',
        "sort_key=os_type",
        "sort_dir=up",
        "sort=name:up",
        "sort=",
        "sort=name&sort_key=size",
        "sort_key=name&sort_dir=asc&sort_dir=asc",
    ],
)
def test_what_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read(text)
