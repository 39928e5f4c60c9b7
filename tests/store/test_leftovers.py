from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.store import hosts, networks, ports, servers, volumes
from hanok.store.database import Database
from hanok.store.leftovers import Kind, Maker, known, makers
from tests.region_store import MINE, NOW, OTHER, a_server, region_store, uuid
from tests.store.network_rows import a_network, a_subnet
from tests.store.test_hosts import HERE, a_host
from tests.store.test_journal import a_step, submit
from tests.store.volume_rows import a_volume

STRANGERS = [uuid(number) for number in range(1000, 2200)]
"""More ids than go into one statement."""


@pytest.fixture
def each_store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


@pytest.mark.parametrize(("kind", "numbers"), [("domain", {1}), ("port", {20}), ("disk", {30, 31})])
def test_what_has_a_row_is_known_among_any_number(
    each_store: Database, kind: Kind, numbers: set[int]
) -> None:
    with each_store.write() as tx:
        hosts.register(tx, a_host(zones=()))
        servers.add(tx, a_server(1))
        servers.add(tx, a_server(2, terminated_at=NOW))
        networks.add(tx, a_network(5))
        networks.add_subnet(tx, a_subnet(6, uuid(5)))
        wanted = ports.Allocation(uuid(20), uuid(5), None, None, MINE, uuid(1), 0, ())
        ports.allocate(tx, wanted, NOW)
        volumes.add(tx, a_volume(30))
        disk = {"id": uuid(31), "server_id": uuid(1), "host_id": HERE, "device": "vda"}
        servers.add_local_disk(tx, {**disk, "size_gib": 1, "image_id": None})
        rows = {uuid(number) for number in (1, 2, 20, 30, 31)}
        assert known(tx, kind, {*STRANGERS, *rows}) == {uuid(number) for number in numbers}
        assert known(tx, kind, ()) == set()


def test_the_journal_says_which_operation_was_the_last_to_make_a_thing(
    each_store: Database,
) -> None:
    made, alone = f"plug:{uuid(20)}", f"make:{uuid(30)}"
    with each_store.write() as tx:
        submit(tx, 1, steps=[a_step(1, 0, key=made)], server_id=uuid(1))
        submit(tx, 2, steps=[a_step(2, 0, key=made), a_step(2, 1, key="x")], server_id=uuid(2))
        submit(tx, 3, steps=[a_step(3, 0, key=alone)], project_id=OTHER)
        found = makers(tx, {made, alone, *(f"make:{one}" for one in STRANGERS)})
    assert found == {made: Maker(MINE, uuid(2)), alone: Maker(OTHER, None)}
