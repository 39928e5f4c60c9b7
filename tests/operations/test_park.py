from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.model.server import VmState
from hanok.operations.park import parked
from hanok.store import servers, volumes
from hanok.store.database import Database
from tests.region_store import NOW, a_server, region_store, uuid
from tests.store.volume_rows import a_volume, an_attachment


@pytest.fixture
def store(database_url: str) -> Iterator[Database]:
    with region_store(database_url) as database:
        yield database


@pytest.mark.parametrize("task", ["spawning", "deleting", None])
def test_the_server_shows_error_and_can_be_deleted(store: Database, task: str | None) -> None:
    with store.write() as tx:
        servers.add(tx, a_server(1, vm_state="building", task_state=task))
        parked(tx, [f"server:{uuid(1)}"], "create_server@0 in /var/lib is unknown", NOW + 5)
        server = servers.find(tx, uuid(1))
        events = servers.events(tx, uuid(1))
    assert server is not None
    assert (server.vm_state, server.task_state) == (VmState.ERROR, None)
    assert server.fault is not None
    assert "delete it or ask for help" in server.fault["message"]
    assert "/var/lib" not in server.fault["message"], "the reason is the operator's"
    assert server.fault["details"] == "create_server@0 in /var/lib is unknown"
    assert server.fault["created_at"] == NOW + 5
    assert [(event.name, event.at) for event in events] == [("parked", NOW + 5)]


def test_what_is_deleted_or_gone_is_left_alone(store: Database) -> None:
    gone = a_server(1, vm_state="deleted", terminated_at=NOW)
    with store.write() as tx:
        servers.add(tx, gone)
        parked(tx, [f"server:{uuid(1)}", f"server:{uuid(2)}"], "x", NOW)
        assert servers.find(tx, uuid(1)) == gone
        assert list(servers.events(tx, uuid(1))) == []


@pytest.mark.parametrize(
    ("status", "attached", "rests"),
    [
        ("creating", False, "error"),
        ("deleting", False, "error_deleting"),
        ("uploading", False, "available"),
        ("uploading", True, "in-use"),
        ("attaching", True, "in-use"),
        ("detaching", True, "in-use"),
        ("detaching", False, "available"),
        ("available", False, "available"),
        ("reserved", True, "reserved"),
    ],
)
def test_a_volume_comes_to_rest_and_can_be_deleted_or_detached(
    store: Database, status: str, attached: bool, rests: str
) -> None:
    with store.write() as tx:
        servers.add(tx, a_server(1))
        volumes.add(tx, a_volume(2, status=status))
        if attached:
            volumes.attach(tx, an_attachment(2, 1))
        parked(tx, [f"volume:{uuid(2)}", f"volume:{uuid(3)}", f"image:{uuid(2)}"], "x", NOW + 5)
        volume = volumes.find(tx, uuid(2))
        server = servers.find(tx, uuid(1))
    assert volume is not None
    assert volume.status == rests
    assert server == a_server(1), "it is no subject of the operation"
