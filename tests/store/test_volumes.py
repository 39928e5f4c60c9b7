from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import event

from hanok.store import servers, volumes
from hanok.store.database import Database, Transaction
from hanok.store.volumes import COLUMNS, Listing
from tests.region_store import MINE, OTHER, a_server, region_store, uuid
from tests.store.volume_rows import a_volume, an_attachment

SERVER = a_server(50)
VOLUMES = (
    a_volume(1, name="b", metadata={"k": "v", "x": "1"}),
    a_volume(2, name="a", status="in-use", bootable=True, size_gib=1),
    a_volume(3, name="a", status="error", metadata={"k": "v"}),
    a_volume(4, project_id=OTHER),
    a_volume(5, name="c", availability_zone="kr-pub-b", created_at=a_volume(1).created_at),
)
ATTACHED = an_attachment(2, 50, device="vda", boot_index=0, delete_on_termination=True)


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        with database.write() as tx:
            servers.add(tx, SERVER)
            for volume in VOLUMES:
                volumes.add(tx, volume)
            volumes.attach(tx, ATTACHED)
        yield database


def numbers(store: Database, **changes: Any) -> list[int]:
    listing = replace(Listing(project_id=MINE, limit=100), **changes)
    with store.read() as reader:
        found = volumes.page(reader, listing)
    assert found is not None
    return [int(volume.id[-3:]) for volume, _ in found]


def test_a_volume_is_read_with_its_attachments_in_one_statement(store: Database) -> None:
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    with store.read() as reader:
        event.listen(reader._connection.engine, "before_cursor_execute", count)
        assert volumes.get(reader, MINE, uuid(2)) == (VOLUMES[1], [ATTACHED])
        assert volumes.get(reader, None, uuid(4)) == (VOLUMES[3], [])
        assert volumes.get(reader, MINE, uuid(4)) is None
        assert volumes.get(reader, None, uuid(9)) is None
        assert len(statements) == 4
        assert volumes.page(reader, Listing(MINE, 1, among={"id": [uuid(2)]})) == [
            (VOLUMES[1], [ATTACHED])
        ]
        assert len(statements) == 5


LISTS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [3, 2, 5, 1]),
    ({"project_id": OTHER}, [4]),
    ({"project_id": None}, [4, 3, 2, 5, 1]),
    ({"among": {"name": ["a"]}}, [3, 2]),
    ({"among": {"name": ["a", "b"], "status": ["error", "available"]}}, [3, 1]),
    ({"among": {"bootable": [True]}}, [2]),
    ({"among": {"bootable": [True, False], "size": [1]}}, [2, 1]),
    ({"among": {"project_id": [OTHER]}, "project_id": None}, [4]),
    ({"among": {"project_id": [OTHER]}}, []),
    ({"metadata": {"k": "v"}}, [3, 1]),
    ({"metadata": {"k": "v", "x": "1"}}, [1]),
    ({"metadata": {"k": "1"}}, []),
    ({"sort": [("name", False)]}, [2, 3, 1, 5]),
    ({"sort": [("name", False), ("size", True)]}, [3, 2, 1, 5]),
    ({"sort": [("created_at", False)]}, [1, 5, 2, 3]),
    ({"sort": [("id", False), ("id", True)]}, [1, 2, 3, 5]),
    ({"offset": 1, "limit": 2}, [2, 5]),
    ({"limit": 0}, []),
]


def test_lists(store: Database) -> None:
    assert [(changes, numbers(store, **changes)) for changes, _ in LISTS] == LISTS


def test_pages_show_everything_once(store: Database) -> None:
    for sort in permutations([("name", False), ("bootable", True)]):
        show_everything_once(store, sort)


def show_everything_once(store: Database, sort: Sequence[tuple[str, bool]]) -> None:
    whole = numbers(store, sort=sort, project_id=None)
    seen: list[int] = []
    while page := numbers(
        store,
        sort=sort,
        project_id=None,
        limit=2,
        marker=uuid(seen[-1]) if seen else None,
    ):
        seen += page
    assert seen == whole
    assert len(seen) == 5


def test_every_name_sorts(store: Database) -> None:
    for name in COLUMNS:
        assert numbers(store, sort=[(name, False)])[::-1] == numbers(store, sort=[(name, True)])


def test_a_marker_that_is_not_seen(store: Database) -> None:
    with store.read() as reader:
        for marker in (uuid(4), "nobody", ""):
            assert volumes.page(reader, Listing(MINE, 1, marker=marker)) is None


def test_use_is_counted(store: Database) -> None:
    with store.read() as reader:
        mine, nobody = volumes.usage(reader, MINE), volumes.usage(reader, "f" * 32)
    assert (mine.volumes, mine.size_gib) == (4, 1 + 1 + 3 + 5)
    assert (nobody.volumes, nobody.size_gib) == (0, 0)


def test_a_delete_begins_only_where_it_may(store: Database) -> None:
    def begins(number: int) -> bool:
        with store.write() as tx:
            return volumes.begin_delete(tx, uuid(number), ("available", "in-use"), 7)

    assert [begins(number) for number in (1, 2, 3, 9)] == [True, False, False, False]
    assert not begins(1)
    with store.read() as reader:
        assert volumes.find(reader, uuid(1)) == replace(VOLUMES[0], status="deleting", updated_at=7)
        assert volumes.find(reader, uuid(2)) == VOLUMES[1]


def test_a_change_begins_only_from_a_status_that_is_allowed(store: Database) -> None:
    def begins(number: int) -> bool:
        with store.write() as tx:
            return volumes.begin(tx, uuid(number), "attaching", ("available",), 7)

    assert [begins(number) for number in (1, 2, 3, 9)] == [True, False, False, False]
    assert not begins(1)
    with store.read() as reader:
        changed = replace(VOLUMES[0], status="attaching", updated_at=7)
        assert volumes.find(reader, uuid(1)) == changed


Begin = Callable[[Transaction], bool]


def attaching(tx: Transaction) -> bool:
    return volumes.begin(tx, uuid(1), "attaching", ("available",), 7)


def deleting(tx: Transaction) -> bool:
    return volumes.begin_delete(tx, uuid(1), ("available",), 7)


@pytest.mark.parametrize(
    ("first", "second"), [(attaching, attaching), (attaching, deleting), (deleting, attaching)]
)
def test_of_two_at_once_the_second_waits_and_loses(
    store: Database, first: Begin, second: Begin
) -> None:
    """Whoever comes first has not committed yet when the other one asks."""
    asked, won = threading.Event(), []

    def ask() -> None:
        asked.wait(5)
        with store.write() as tx:
            won.append(second(tx))

    thread = threading.Thread(target=ask)
    thread.start()
    with store.write() as tx:
        assert first(tx)
        asked.set()
        thread.join(0.3)
        assert thread.is_alive(), "it waits"
    thread.join(5)
    assert won == [False]


def test_attachments(store: Database) -> None:
    with store.write() as tx:
        volumes.attach(tx, ATTACHED)
        volumes.attach(tx, an_attachment(1, 50))
        assert [a.device for a, _ in volumes.of_server(tx, SERVER.id)] == ["vda", "vdb"]
        assert volumes.of_server(tx, SERVER.id)[0] == (ATTACHED, VOLUMES[1])
        assert not volumes.detach_from(tx, uuid(1), uuid(51))
        assert volumes.detach_from(tx, uuid(1), SERVER.id)
        volumes.detach(tx, uuid(2))
        assert volumes.of_server(tx, SERVER.id) == []
        volumes.remove(tx, uuid(2))
        volumes.remove(tx, uuid(2))
        assert volumes.find(tx, uuid(2)) is None


def test_changes(store: Database) -> None:
    with store.write() as tx:
        volumes.add_root(tx, replace(VOLUMES[0], name="another"), 1)
        assert volumes.find(tx, uuid(1)) == VOLUMES[0]
        volumes.set_status(tx, uuid(1), "error", 5)
        volumes.change(tx, uuid(1), {"name": "new", "metadata": {"a": "b"}}, 6)
        assert volumes.find(tx, uuid(1)) == replace(
            VOLUMES[0], status="error", name="new", metadata={"a": "b"}, updated_at=6
        )
