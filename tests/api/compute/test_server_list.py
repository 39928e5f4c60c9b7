from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any, cast

import pytest

from hanok.api._addresses import Base
from hanok.api._call import Call
from hanok.api._paging import page
from hanok.api._query import Query
from hanok.api.compute import server_list
from hanok.api.compute.server_list import compile_name, listing, read_page
from hanok.model.credentials import Credentials
from hanok.model.errors import Invalid
from hanok.model.moments import SECOND
from hanok.model.server import TaskState, VmState, status
from hanok.store import servers
from hanok.store.database import Database, Reader
from hanok.store.servers import Listing
from tests.region_store import MINE, NOW, OTHER, a_server, region_store, uuid

MEMBER = Credentials("u", "kim", MINE, "demo", frozenset({"member"}), 0, 1)
ADMIN = replace(MEMBER, roles=frozenset({"admin"}))


@pytest.fixture
def store(database_url: str) -> Iterator[Database]:
    with region_store(database_url) as database:
        with database.write() as tx:
            for number in range(1, 13):
                servers.add(tx, a_server(number, created_at=NOW + number, name=f"web-{number}"))
            servers.add(tx, a_server(50, project_id=OTHER))
        yield database


def asked(reader: Reader, query: str, who: Credentials = MEMBER) -> Listing:
    nothing = cast(Any, None)
    base, wanted = Base("http://test", "http"), Query(query)
    call = Call(nothing, base, {}, wanted, {}, b"", "req-1", _credentials=who)
    return listing(call, page(wanted), reader)


def test_every_filter_of_the_guide_is_read(store: Database) -> None:
    with store.read() as reader:
        found = asked(
            reader,
            f"limit=5&marker={uuid(3)}&reservation_id=r&image=i&flavor=f&status=ACTIVE&status=error"
            "&changes-since=1970-01-01T00:00:10&ip=10.0.&ip6=fe80",
        )
    assert found == Listing(
        project_id=MINE,
        limit=6,
        marker=(NOW + 3, uuid(3)),
        reservation_id="r",
        image_id="i",
        flavor_id="f",
        statuses=("ACTIVE", "ERROR"),
        changed_since=10 * SECOND,
        addresses=("10.0.", "fe80"),
    )


def test_as_many_statuses_as_a_query_holds_are_one_statement(store: Database) -> None:
    with store.read() as reader:
        found = asked(reader, "&".join(["status=UNKNOWN"] * 100 + ["status=active"] * 100))
        assert found.statuses == ("UNKNOWN", "ACTIVE")
        known = {
            status(vm_state, task, answering=answering)
            for vm_state, task, answering in product(VmState, (None, *TaskState), (True, False))
        }
        every = "&".join(f"status={one}" for one in (*known, *range(150)))
        assert len(servers.page(reader, asked(reader, every))) == 12


def test_what_is_not_asked_for_is_not_filtered(store: Database) -> None:
    with store.read() as reader:
        assert asked(reader, "unknown=1&host=x&ip=") == Listing(project_id=MINE, limit=101)


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", 100), ("limit=0", 0), ("limit=7", 7), ("limit=1000", 1000), ("limit=5000", 1000)],
)
def test_a_page_has_100_servers_and_1000_at_most(store: Database, query: str, shown: int) -> None:
    with store.read() as reader:
        assert asked(reader, query).limit == shown + 1, "one more tells whether there is a next"


@pytest.mark.parametrize(
    ("who", "query", "project"),
    [
        (MEMBER, "all_tenants=1", MINE),
        (ADMIN, "", MINE),
        (ADMIN, "all_tenants=0", MINE),
        (ADMIN, "all_tenants=1", None),
        (ADMIN, "all_tenants=True", None),
        (MEMBER, f"all_tenants=1&tenant_id={OTHER}", MINE),
        (ADMIN, f"tenant_id={OTHER}", MINE),
        (ADMIN, f"all_tenants=1&tenant_id={OTHER}", OTHER),
        (ADMIN, f"all_tenants=1&project_id={OTHER}", OTHER),
    ],
)
def test_only_an_operator_who_asks_sees_everybody_s(
    store: Database, who: Credentials, query: str, project: str | None
) -> None:
    with store.read() as reader:
        assert asked(reader, query, who).project_id == project


def test_a_marker_must_be_a_server_that_the_caller_may_see(store: Database) -> None:
    with store.read() as reader:
        for marker in (uuid(50), uuid(99), "x"):
            with pytest.raises(Invalid, match="marker"):
                asked(reader, f"marker={marker}")
        with pytest.raises(Invalid, match="marker"):
            asked(reader, f"marker={uuid(50)}", ADMIN)
        assert asked(reader, f"marker={uuid(50)}&all_tenants=1", ADMIN).marker == (NOW, uuid(50))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01:00Z", 60),
        ("1970-01-01T00:01:00", 60),
        ("1970-01-01 00:01:00", 60),
        ("1970-01-01T09:01:00%2B09:00", 60),
        ("1970-01-01T09:01:00+09:00", 60),
        ("1970-01-01T00:01:00.999", 60),
        ("1970-01-02", 86_400),
        ("0001-01-01T00:00:00%2B14:00", -62_135_647_200),
        ("9999-12-31T23:59:59-14:00", 253_402_351_199),
    ],
)
def test_moments_are_read_as_utc_unless_they_name_a_zone(
    store: Database, text: str, seconds: int
) -> None:
    with store.read() as reader:
        found = asked(reader, f"changes-since={text}")
        assert found.changed_since == seconds * SECOND
        shown = servers.page(reader, found)
    assert bool(shown) == (seconds * SECOND <= NOW), "every database can compare it"


@pytest.mark.parametrize("text", ["yesterday", "", "1970-13-01", "10", "1970-01-01T25:00:00"])
def test_what_is_no_moment_is_refused(store: Database, text: str) -> None:
    with store.read() as reader, pytest.raises(Invalid, match="changes-since"):
        asked(reader, f"changes-since={text}")


def names(reader: Reader, pattern: str | None, limit: int, **more: Any) -> list[str]:
    wanted = Listing(project_id=MINE, limit=limit, **more)
    found = read_page(reader, wanted, pattern, servers.names, lambda item: item)
    return [name for _, name, _ in found]


def test_names_are_matched_anywhere_in_them(store: Database) -> None:
    with store.read() as reader:
        assert names(reader, "1", 100) == ["web-12", "web-11", "web-10", "web-1"]
        assert names(reader, "^web-1$", 100) == ["web-1"]
        assert names(reader, "WEB", 100) == []
        assert names(reader, "(?i)WEB-2", 100) == ["web-2"]
        assert names(reader, "1", 2, marker=(NOW + 12, uuid(12))) == ["web-11", "web-10"]


def test_a_page_of_matches_is_full_however_rare_they_are(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_list, "_BATCH", 3)
    with store.read() as reader:
        for limit in range(1, 14):
            assert names(reader, "web", limit) == names(reader, None, limit)
        assert names(reader, "-[147]$", 100) == ["web-7", "web-4", "web-1"]
        assert names(reader, "nothing", 100) == []


@pytest.mark.parametrize("pattern", ["(", "a" * 256, "(?=x)", "a{1000}{1000}", r"\1"])
def test_what_cannot_be_matched_in_linear_time_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid, match="Invalid filter name"):
        compile_name(pattern)
