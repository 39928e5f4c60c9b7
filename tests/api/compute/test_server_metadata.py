from __future__ import annotations

from typing import Any

import pytest

from hanok.model.errors import Invalid, NotFound, QuotaExceeded
from hanok.store import servers
from tests.operations.world import World, endpoint_of

ALL = "/v2/{tenant}/servers/{server}/metadata"
ONE = ALL + "/{key}"


@pytest.fixture
def server_id(world: World) -> str:
    made = world.create(local=True, metadata={"a": "1", "b": "2"})
    world.settle()
    return made


def send(world: World, method: str, path: str, body: object = None, **params: str) -> Any:
    return endpoint_of(method, path).handler(world.call(body, **params))


def test_all_at_once(world: World, server_id: str) -> None:
    assert send(world, "GET", ALL, server=server_id).body == {"metadata": {"a": "1", "b": "2"}}
    updated = send(world, "POST", ALL, {"metadata": {"b": "3", "c": "4"}}, server=server_id)
    assert (updated.status, updated.body) == (200, {"metadata": {"a": "1", "b": "3", "c": "4"}})
    replaced = send(world, "PUT", ALL, {"metadata": {"z": "9"}}, server=server_id)
    assert replaced.body == {"metadata": {"z": "9"}}
    shown = send(world, "GET", "/v2/{tenant}/servers/{server}", server=server_id).body["server"]
    assert shown["metadata"]["z"] == "9"
    assert shown["metadata"]["image_name"] == "tiny", "the image's keys are merged, not stored"


def test_one_at_a_time(world: World, server_id: str) -> None:
    one = {"server": server_id, "key": "a"}
    assert send(world, "GET", ONE, **one).body == {"meta": {"a": "1"}}
    assert send(world, "PUT", ONE, {"meta": {"a": "5"}}, **one).body == {"meta": {"a": "5"}}
    assert send(world, "DELETE", ONE, **one).status == 204
    for method in ("GET", "DELETE"):
        with pytest.raises(NotFound, match="Metadata item was not found"):
            send(world, method, ONE, **one)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"meta": {"other": "5"}}, Invalid),
        ({"meta": {"a": "5", "b": "6"}}, Invalid),
        ({"meta": {"a": "x" * 256}}, Invalid),
        ({"metadata": {}}, Invalid),
        ({"meta": {"a": None}}, Invalid),
        ({"meta": {"a": 1}}, Invalid),
    ],
)
def test_what_is_odd_is_refused(
    world: World, server_id: str, body: object, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        send(world, "PUT", ONE, body, server=server_id, key="a")


def test_the_quota_counts_items(world: World, server_id: str) -> None:
    with pytest.raises(QuotaExceeded, match="exceeds 128"):
        send(
            world,
            "POST",
            ALL,
            {"metadata": {f"k{n}": "" for n in range(127)}},
            server=server_id,
        )


def test_what_was_stored_before_is_not_judged_again(world: World, server_id: str) -> None:
    with world.store.write() as tx:
        servers.change(tx, server_id, 0, {"metadata": {"old/key": "1"}})
    with pytest.raises(Invalid, match="'new/key' does not fit"):
        send(world, "POST", ALL, {"metadata": {"new/key": "2"}}, server=server_id)
    added = send(world, "POST", ALL, {"metadata": {"a": "2"}}, server=server_id)
    assert added.body == {"metadata": {"old/key": "1", "a": "2"}}
