from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from hanok.store import flavors
from hanok.store.database import Database
from hanok.store.flavors import SORT_KEYS, Listing
from tests.region_store import MINE, OTHER, a_flavor, region_store, uuid

SECRET = a_flavor(5, is_public=False)
ALL = Listing(project_id=MINE, limit=100, public=None, with_disabled=True)


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        with database.write() as tx:
            for number in (3, 1, 2):
                assert flavors.add(tx, a_flavor(number, disk_gib=20 * (number - 1)))
            assert flavors.add(tx, a_flavor(4, disabled=True))
            assert flavors.add(tx, SECRET)
            flavors.allow(tx, SECRET.id, OTHER)
        yield database


def ids(store: Database, listing: Listing) -> list[int] | None:
    with store.read() as reader:
        found = flavors.page(reader, listing)
    return None if found is None else [flavor.vcpus for flavor in found]


def test_a_private_flavor_is_there_for_who_may_use_it(store: Database) -> None:
    with store.read() as reader:
        assert flavors.get(reader, uuid(1), MINE) == a_flavor(1)
        assert flavors.get(reader, SECRET.id, MINE) is None, "fault_31"
        assert flavors.get(reader, SECRET.id, OTHER) == SECRET
        assert flavors.get(reader, SECRET.id, None) == SECRET
        assert flavors.get(reader, uuid(9), None) is None


def test_lists_show_what_they_should(store: Database) -> None:
    mine = Listing(project_id=MINE, limit=100)
    assert ids(store, mine) == [1, 2, 3]
    assert ids(store, replace(mine, project_id=OTHER)) == [1, 2, 3, 5]
    assert ids(store, replace(mine, public=False)) == [5]
    assert ids(store, ALL) == [1, 2, 3, 4, 5]
    assert ids(store, replace(mine, min_disk_gib=20)) == [2, 3]
    assert ids(store, replace(mine, min_ram_mib=2048)) == [2, 3]
    assert ids(store, replace(mine, min_ram_mib=2049)) == [3]
    assert ids(store, replace(mine, min_disk_gib=41)) == []


def test_every_order_can_be_paged(store: Database) -> None:
    for key, descending in product(SORT_KEYS, (False, True)):
        listing = replace(ALL, sort_key=key, descending=descending)
        with store.read() as reader:
            wanted = flavors.page(reader, listing)
            assert wanted is not None
            assert len(wanted) == 5
            seen = flavors.page(reader, replace(listing, limit=2))
            while seen and len(seen) < 5:
                further = flavors.page(reader, replace(listing, limit=2, marker=seen[-1].id))
                assert further
                seen += further
        assert seen == wanted, key
        if key == "memory_mb":
            assert [flavor.vcpus for flavor in wanted] == sorted(range(1, 6), reverse=descending)


def test_an_unknown_marker_is_told(store: Database) -> None:
    mine = Listing(project_id=MINE, limit=100)
    assert ids(store, replace(mine, marker=uuid(9))) is None
    assert ids(store, replace(mine, marker=SECRET.id)) is None
    assert ids(store, replace(mine, marker=uuid(1), min_disk_gib=40)) == [3]


def test_ids_and_names_are_taken_once(store: Database) -> None:
    with store.write() as tx:
        assert not flavors.add(tx, a_flavor(9, name=a_flavor(1).name))
        assert not flavors.add(tx, a_flavor(1, name="another"))
        assert flavors.get(tx, uuid(1), None) == a_flavor(1)


def test_a_flavor_goes_with_its_permissions(store: Database) -> None:
    with store.write() as tx:
        assert flavors.remove(tx, SECRET.id)
        assert not flavors.remove(tx, SECRET.id)
        assert flavors.add(tx, SECRET)
        assert flavors.get(tx, SECRET.id, OTHER) is None
