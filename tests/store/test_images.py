from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from hanok.model.errors import NotFound
from hanok.store import images, servers
from hanok.store.database import Database
from hanok.store.images import COLUMNS, Bound, Listing
from tests.region_store import MINE, NOW, OTHER, a_server, an_image, region_store, uuid

SECOND = 1_000_000
IMAGES = (
    an_image(1, project_id=None, tags=["lts", "a,b"]),
    an_image(2, visibility="private", name=None, size_bytes=None, disk_format=None),
    an_image(3, visibility="private", project_id=OTHER),
    an_image(4, visibility="shared", protected=True, properties={"os_type": "windows", 'a"$': "x"}),
    an_image(5, visibility="shared", project_id=OTHER),
    an_image(6, visibility="community", project_id=OTHER, status="queued", min_ram_mib=512),
)


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        with database.write() as tx:
            for image in IMAGES:
                images.add(tx, image)
        yield database


def numbers(store: Database, project_id: str | None = MINE, **changes: Any) -> list[int]:
    listing = replace(Listing(project_id=project_id, limit=100, sort=[("id", False)]), **changes)
    with store.read() as reader:
        found = images.page(reader, listing)
    assert found is not None
    return [int(image.id[-3:]) for image in found]


def test_who_may_use_an_image(store: Database) -> None:
    with store.read() as reader:
        may = [images.get(reader, image.id, MINE) is not None for image in IMAGES]
        assert may == [True, True, False, True, False, True]
        assert images.get(reader, uuid(3), None) == IMAGES[2]
        assert images.get(reader, uuid(4), MINE) == IMAGES[3]
        assert images.get(reader, uuid(9), None) is None


SHOWN: list[tuple[str | None, str | None, list[int]]] = [
    (MINE, None, [1, 2, 4]),
    (OTHER, None, [1, 3, 5]),
    (None, None, [1, 2, 3, 4, 5]),
    (MINE, "public", [1]),
    (MINE, "private", [2]),
    (MINE, "shared", [4]),
    (MINE, "community", [6]),
    (MINE, "all", [1, 2, 4, 6]),
    (None, "all", [1, 2, 3, 4, 5, 6]),
    (None, "private", [2, 3]),
]


def test_what_a_list_shows(store: Database) -> None:
    for project_id, visibility, wanted in SHOWN:
        found = numbers(store, project_id, visibility=visibility)
        assert found == wanted, (project_id, visibility)


FILTERED: list[tuple[dict[str, Any], list[int]]] = [
    ({"among": {"id": [uuid(1), uuid(4), uuid(9)]}}, [1, 4]),
    ({"among": {"id": []}}, []),
    ({"among": {"protected": [True]}}, [4]),
    ({"among": {"disk_format": ["", "raw"]}}, [2]),
    ({"bounds": [Bound("name", "eq", "image-3")]}, [3]),
    ({"bounds": [Bound("name", "neq", "image-3")]}, [1, 2, 4, 5]),
    ({"bounds": [Bound("owner", "eq", OTHER)]}, [3, 5]),
    ({"bounds": [Bound("size", "gte", 4 * 2**31)]}, [4, 5]),
    ({"bounds": [Bound("size", "lte", 2**31)]}, [1, 2]),
    ({"bounds": [Bound("size", "gte", 2**63 - 1)]}, []),
    ({"bounds": [Bound("created_at", "gt", NOW // SECOND + 3)]}, [4, 5]),
    ({"bounds": [Bound("created_at", "lte", NOW // SECOND + 3)]}, [1, 2, 3]),
    ({"bounds": [Bound("created_at", "lt", NOW // SECOND + 3)]}, [1, 2]),
    ({"bounds": [Bound("updated_at", "eq", NOW // SECOND + 3)]}, [3]),
    ({"properties": {"os_type": "windows"}}, [4]),
    ({"properties": {'a"$': "x"}}, [4]),
    ({"properties": {"os_type": "windows", 'a"$': "y"}}, []),
    ({"properties": {"$.os_type": "linux"}}, []),
    ({"tags": ["lts"]}, [1]),
    ({"tags": ["lts", "a,b"]}, [1]),
    ({"tags": ["lts", "other"]}, []),
]


def test_filters(store: Database) -> None:
    for changes, wanted in FILTERED:
        assert numbers(store, None, **changes) == wanted, changes


def test_every_order_can_be_paged(store: Database) -> None:
    for key, descending in product(COLUMNS, (False, True)):
        sort = [(key, descending)]
        wanted = numbers(store, None, sort=sort)
        assert sorted(wanted) == [1, 2, 3, 4, 5]
        seen = numbers(store, None, sort=sort, limit=2)
        while len(seen) < 5:
            further = numbers(store, None, sort=sort, limit=2, marker=uuid(seen[-1]))
            assert further
            seen += further
        assert seen == wanted, key
        if key == "created_at":
            assert wanted == sorted(wanted, reverse=descending)


def test_several_keys_sort_one_within_the_other(store: Database) -> None:
    sort = [("visibility", False), ("size", True), ("visibility", True)]
    assert numbers(store, None, sort=sort) == [3, 2, 1, 5, 4]


def test_a_marker_that_is_not_to_be_seen_is_told(store: Database) -> None:
    for marker in (uuid(9), uuid(3)):
        with store.read() as reader:
            listing = Listing(project_id=MINE, limit=5, marker=marker)
            assert images.page(reader, listing) is None


def test_an_image_is_doomed_unless_something_is_made_from_it(store: Database) -> None:
    with store.write() as tx:
        servers.add(tx, a_server(1, image_id=uuid(2), vm_state="building"))
        assert not images.doom(tx, uuid(2), NOW)
        assert images.get(tx, uuid(2), None) is not None
        assert not images.doom(tx, uuid(9), NOW)
        assert images.doom(tx, uuid(1), NOW)
        assert not images.doom(tx, uuid(1), NOW), "once is enough"
        assert images.get(tx, uuid(1), None) is None
        assert images.doomed(tx) == [uuid(1)]


def test_a_held_image_is_doomed_only_when_the_disk_made_of_it_can_be_seen(store: Database) -> None:
    def doom() -> bool:
        with store.write() as tx:
            return images.doom(tx, uuid(1), NOW)

    with ThreadPoolExecutor() as pool:
        with store.write() as tx:
            images.hold(tx, uuid(1))
            doomed = pool.submit(doom)
            with pytest.raises(TimeoutError):
                doomed.result(0.2)
            servers.add(tx, a_server(1, image_id=uuid(1), vm_state="building"))
        assert not doomed.result(10)


def test_what_is_gone_cannot_be_held(store: Database) -> None:
    with store.write() as tx:
        images.hold(tx, None)
        assert images.doom(tx, uuid(1), NOW)
        for number in (1, 9):
            with pytest.raises(NotFound, match=uuid(number)):
                images.hold(tx, uuid(number))


def test_the_server_that_an_image_keeps_the_disk_of(store: Database) -> None:
    gone = {"vm_state": "deleted", "terminated_at": NOW}
    with store.write() as tx:
        servers.add(tx, a_server(1, shelved=None))
        servers.add(tx, a_server(2, shelved={"image_id": uuid(2)}))
        servers.add(tx, a_server(3, shelved={"image_id": uuid(3)}, **gone))
        servers.add(tx, a_server(4, shelved={"at": NOW}))
        assert [images.shelved_in(tx, uuid(n)) for n in (1, 2, 3)] == [None, uuid(2), None]
