from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, update

from hanok.model.security_group import SecurityGroup
from hanok.model.server import ServerDetail, TaskState, VmState
from hanok.store import hosts, networks, ports, security_groups, servers, volumes
from hanok.store.database import Database, Transaction
from hanok.store.region_tables import servers as table
from hanok.store.servers import Listing
from tests.region_store import MINE, NOW, OTHER, a_server, region_store, uuid
from tests.store.network_rows import a_network, a_subnet
from tests.store.test_hosts import HERE, a_host
from tests.store.volume_rows import a_volume, an_attachment

ALL_MINE = Listing(project_id=MINE, limit=100)


@pytest.fixture
def store(database_url: str) -> Iterator[Database]:
    with region_store(database_url) as database:
        yield database


@pytest.fixture
def each_store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


@contextmanager
def statements(store: Database) -> Iterator[list[str]]:
    """The SELECTs of the transactions within."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(store.engine, "before_cursor_execute", note)


def listed(tx: Transaction, **changes: Any) -> list[int]:
    wanted = replace(ALL_MINE, **changes)
    found = servers.page(tx, wanted)
    assert servers.names(tx, wanted) == [
        (one.server.id, one.server.name, one.server.created_at) for one in found
    ], "both lists show the same"
    return [int(one.server.id[-3:]) for one in found]


def furnish(tx: Transaction) -> None:
    """A server with two interfaces and two volumes, and one without anything."""
    hosts.register(tx, a_host(zones=()))
    networks.add(tx, a_network(1))
    networks.add_subnet(tx, a_subnet(2, uuid(1)))
    for number, name in ((4, "web"), (5, "db")):
        security_groups.add(tx, SecurityGroup(uuid(number), MINE, name, "", NOW, NOW))
    servers.add(tx, a_server(10, host_id=HERE))
    servers.add(tx, a_server(11))
    for number, position, group_ids in ((20, 1, (uuid(5),)), (21, 0, (uuid(4), uuid(5)))):
        wanted = ports.Allocation(
            port_id=uuid(number),
            network_id=uuid(1),
            subnet_id=None,
            address=None,
            project_id=MINE,
            server_id=uuid(10),
            position=position,
            group_ids=group_ids,
        )
        ports.allocate(tx, wanted, NOW)
    for number, device in ((30, "vda"), (31, "vdb")):
        volumes.add(tx, a_volume(number))
        volumes.attach(tx, an_attachment(number, 10, device=device))


def test_one_statement_reads_a_server_with_all_that_its_view_shows(each_store: Database) -> None:
    with each_store.write() as tx:
        furnish(tx)
    with statements(each_store) as seen, each_store.write() as tx:
        found = servers.detail(tx, MINE, uuid(10))
        page = servers.page(tx, ALL_MINE)
    assert len(seen) == 2
    assert found is not None
    assert found.server == a_server(10, host_id=HERE)
    assert found.answering
    assert sorted((nic["position"], nic["network"], nic["address"]) for nic in found.nics) == [
        (0, "network-1", "10.0.0.3"),
        (1, "network-1", "10.0.0.2"),
    ]
    assert all(nic["mac"].startswith("fa:16:3e:") for nic in found.nics)
    assert sorted((one["position"], one["name"]) for one in found.groups) == [
        (0, "db"),
        (0, "web"),
        (1, "db"),
    ]
    assert sorted((one["device"], one["id"]) for one in found.volumes) == [
        ("vda", uuid(30)),
        ("vdb", uuid(31)),
    ]
    bare = ServerDetail(a_server(11), True, [], [], [])
    assert [one.server.id for one in page] == [uuid(11), uuid(10)]
    assert page[0] == bare, "nothing is [], and no host is one that answers"


def test_a_server_is_found_by_its_project_while_it_lives_and_by_anybody_after(
    store: Database,
) -> None:
    with store.write() as tx:
        servers.add(tx, a_server(1))
        servers.add(tx, a_server(2, vm_state="deleted", terminated_at=NOW))
        for project in (MINE, None):
            assert servers.get(tx, project, uuid(1)) == a_server(1)
            assert servers.hold(tx, project, uuid(1)) == a_server(1)
            assert servers.detail(tx, project, uuid(1)) is not None
        for project, number in ((OTHER, 1), (MINE, 2), (MINE, 9), (None, 2)):
            assert servers.get(tx, project, uuid(number)) is None
            assert servers.hold(tx, project, uuid(number)) is None
            assert servers.detail(tx, project, uuid(number)) is None
        assert servers.find(tx, uuid(2)) == a_server(2, vm_state="deleted", terminated_at=NOW)
        assert servers.find(tx, uuid(9)) is None


def test_lists_show_the_newest_first_and_only_what_was_asked_for(store: Database) -> None:
    with store.write() as tx:
        hosts.register(tx, a_host(zones=()))
        for server in (
            a_server(1, created_at=NOW + 1, image_id="i", reservation_id="r-x"),
            a_server(2, created_at=NOW + 1, flavor_id=uuid(8), host_id=HERE),
            a_server(3, created_at=NOW + 3, updated_at=NOW + 50),
            a_server(4, project_id=OTHER),
            a_server(5, created_at=NOW, vm_state="deleted", terminated_at=NOW, updated_at=NOW + 9),
        ):
            servers.add(tx, server)
        assert listed(tx) == [3, 2, 1]
        assert listed(tx, project_id=None) == [3, 2, 1, 4]
        assert listed(tx, limit=2) == [3, 2]
        assert listed(tx, marker=(NOW + 1, uuid(2))) == [1]
        assert listed(tx, image_id="i") == listed(tx, reservation_id="r-x") == [1]
        assert listed(tx, flavor_id=uuid(8)) == listed(tx, host_id=HERE) == [2]
        assert listed(tx, image_id="i", host_id=HERE) == []
        assert listed(tx, changed_since=NOW + 9) == [3, 5], "deleted ones, too"
        for written in ("DELETED", "deleted"):
            assert listed(tx, statuses=(written,)) == [5]
        assert listed(tx, statuses=("ACTIVE", "Deleted")) == [3, 2, 1, 5], "any of them"
        assert listed(tx, statuses=("NONSENSE", "SHUTOFF")) == []


def test_servers_are_found_by_a_part_of_an_address(each_store: Database) -> None:
    with each_store.write() as tx:
        furnish(tx)
        for part in ("10.0.0.2", "10.0.0.3", "10.0", ".3"):
            assert listed(tx, addresses=(part,)) == [10], "once, with two addresses, too"
        for part in ("10.0.0.4", "10_0", "%", "fe80"):
            assert listed(tx, addresses=(part,)) == []
        assert listed(tx, addresses=("fe80", "10.0.0.2")) == [10], "any of them"
        assert listed(tx, addresses=("10.0.0.2",), statuses=("SHUTOFF",)) == []


def test_fault_61_pages_show_each_server_once_while_others_come_and_go(store: Database) -> None:
    with store.write() as tx:
        for number in range(6):
            servers.add(tx, a_server(number, created_at=NOW + number // 3))
        seen: list[int] = []
        marker = None
        while found := servers.page(tx, Listing(MINE, 2, marker)):
            seen += [int(one.server.id[-3:]) for one in found]
            last = found[-1].server
            marker = (last.created_at, last.id)
            servers.add(tx, a_server(50 + len(seen), created_at=NOW + 100))
            servers.change(tx, last.id, NOW, {"terminated_at": NOW})
    assert seen == [5, 4, 3, 2, 1, 0]


def test_the_status_filter_finds_exactly_what_shows_that_status(each_store: Database) -> None:
    """Every combination of resting state, task and answering host."""
    with each_store.write() as tx:
        hosts.register(tx, a_host(zones=()))
        hosts.register(tx, a_host(id=uuid(901), name="silent", state="down", zones=()))
        combinations = itertools.product(VmState, (None, *TaskState), (HERE, uuid(901)))
        for number, (vm_state, task_state, host_id) in enumerate(combinations):
            gone = NOW if vm_state == VmState.DELETED else None
            server = a_server(
                number, vm_state=vm_state, task_state=task_state, host_id=host_id, created_at=number
            )
            servers.add(tx, replace(server, terminated_at=gone))
        shown: dict[str, set[str]] = {}
        for one in servers.page(tx, Listing(MINE, 10_000, changed_since=0)):
            shown.setdefault(one.status, set()).add(one.server.id)
        assert len(shown) > 12
        for status, wanted in shown.items():
            found = servers.page(tx, Listing(MINE, 10_000, statuses=(status,)))
            assert {one.server.id for one in found} == wanted, status
        everything = servers.page(tx, Listing(MINE, 10_000, statuses=tuple(shown)))
        assert {one.server.id for one in everything} == set().union(*shown.values())
        assert not servers.page(tx, Listing(MINE, 10, statuses=("NONSENSE",)))


def test_a_change_moves_the_generation_and_the_time(store: Database) -> None:
    with store.write() as tx:
        servers.add(tx, a_server(1))
        servers.add(tx, a_server(2))
        servers.change(tx, uuid(1), NOW + 7, {"name": "new", "fault": {"code": 500}})
        assert servers.find(tx, uuid(1)) == a_server(
            1, name="new", fault={"code": 500}, generation=1, updated_at=NOW + 7
        )
        assert servers.find(tx, uuid(2)) == a_server(2)


def test_fault_22_what_was_seen_of_an_older_generation_is_not_noted(store: Database) -> None:
    with store.write() as tx:
        servers.add(tx, a_server(1))
        read = servers.find(tx, uuid(1))
        assert read is not None
        servers.change(tx, uuid(1), NOW, {"vm_state": "stopped"})
        assert not servers.observe(tx, read, NOW + 1, {"vm_state": "active"})
        again = servers.find(tx, uuid(1))
        assert again is not None
        assert again.vm_state == "stopped"
        assert servers.observe(tx, again, NOW + 1, {"power_state": 4})
        assert not servers.observe(tx, again, NOW + 1, {"power_state": 4}), "said twice"


def test_a_host_s_servers_and_those_to_confirm(store: Database) -> None:
    with store.write() as tx:
        hosts.register(tx, a_host(zones=()))
        servers.add(tx, a_server(1, host_id=HERE))
        servers.add(tx, a_server(2, host_id=HERE, vm_state="deleted", terminated_at=NOW))
        servers.add(tx, a_server(3, vm_state="resized", resized={"flavor_id": "f"}))
        servers.add(tx, a_server(4, vm_state="resized", terminated_at=NOW))
        assert [one.id for one in servers.on_host(tx, HERE)] == [uuid(1)]
        assert [one.id for one in servers.resized(tx)] == [uuid(3)]


def test_the_timeline_is_told_from_its_beginning(store: Database) -> None:
    with store.write() as tx:
        servers.add(tx, a_server(1))
        servers.add(tx, a_server(2))
        servers.record(tx, uuid(1), 5, "created")
        servers.record(tx, uuid(2), 5, "created")
        servers.record(tx, uuid(1), 5, "observed", {"power_state": 4})
        assert [tuple(one) for one in servers.events(tx, uuid(1))] == [
            (5, "created", {}),
            (5, "observed", {"power_state": 4}),
        ]


def test_a_local_disk_is_noted_once(store: Database) -> None:
    values = {
        "id": uuid(5),
        "server_id": uuid(1),
        "host_id": HERE,
        "device": "vda",
        "size_gib": 20,
        "image_id": None,
    }
    with store.write() as tx:
        hosts.register(tx, a_host(zones=()))
        servers.add(tx, a_server(1))
        for _ in range(2):
            servers.add_local_disk(tx, values)
        [disk] = servers.local_disks_of(tx, uuid(1))
        assert dict(disk._mapping) == values
        servers.remove_local_disk(tx, uuid(5))
        servers.remove_local_disk(tx, uuid(5))
        assert servers.local_disks_of(tx, uuid(1)) == []


def test_only_what_was_deleted_long_ago_is_purged_with_its_timeline(each_store: Database) -> None:
    with each_store.write() as tx:
        for number, gone in ((1, None), (2, NOW), (3, NOW - 1)):
            servers.add(tx, a_server(number, terminated_at=gone))
            servers.record(tx, uuid(number), 5, "created")
        assert servers.purge(tx, NOW) == 1
        assert servers.find(tx, uuid(3)) is None
        assert servers.events(tx, uuid(3)) == []
        assert servers.find(tx, uuid(2)) is not None
        assert len(servers.events(tx, uuid(2))) == 1


def test_the_intent_and_the_sealed_words_stay_out_of_what_lists_read(store: Database) -> None:
    with store.write() as tx:
        servers.add(tx, a_server(1))
        tx.run(update(table).values(intent={"name": "x"}, sealed_guest=b"sealed"))
    with statements(store) as seen, store.write() as tx:
        servers.page(tx, ALL_MINE)
        servers.find(tx, uuid(1))
    assert seen
    assert not any("sealed_guest" in one or "intent" in one for one in seen)


def test_a_server_that_is_held_is_read_by_the_next_as_the_first_left_it(
    each_store: Database,
) -> None:
    with each_store.write() as tx:
        servers.add(tx, a_server(1))
    held, seen = threading.Event(), []

    def second() -> None:
        held.wait(5)
        with each_store.write() as tx:
            found = servers.hold(tx, MINE, uuid(1))
            seen.append(found and found.task_state)

    thread = threading.Thread(target=second)
    thread.start()
    with each_store.write() as tx:
        servers.hold(tx, MINE, uuid(1))
        held.set()
        thread.join(0.3)
        assert thread.is_alive(), "it waits"
        servers.change(tx, uuid(1), NOW, {"task_state": "rebooting"})
    thread.join(5)
    assert seen == ["rebooting"]
