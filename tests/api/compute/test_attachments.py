from __future__ import annotations

from typing import Any

import pytest

from hanok.model.errors import Invalid, NotFound
from tests.operations.world import World, endpoint_of

ALL = "/v2/{tenant}/servers/{server}/os-volume_attachments"
ONE = ALL + "/{volume}"


def send(world: World, method: str, path: str, query: str = "", **params: str) -> Any:
    return endpoint_of(method, path).handler(world.call(query=query, **params))


def test_the_root_volume_is_in_the_list(world: World) -> None:
    server_id = world.create()
    world.settle()
    [one] = send(world, "GET", ALL, server=server_id).body["volumeAttachments"]
    assert one == {
        "id": one["volumeId"],
        "device": "/dev/vda",
        "serverId": server_id,
        "volumeId": one["volumeId"],
    }
    shown = send(world, "GET", ONE, server=server_id, volume=one["volumeId"]).body
    assert shown == {"volumeAttachment": one}
    for query, count in (("limit=0", 0), ("limit=5", 1), ("offset=1", 0), ("offset=0&limit=1", 1)):
        listed = send(world, "GET", ALL, query, server=server_id).body["volumeAttachments"]
        assert len(listed) == count, query


def test_what_is_odd_is_refused(world: World) -> None:
    server_id = world.create(local=True)
    world.settle()
    assert send(world, "GET", ALL, server=server_id).body == {"volumeAttachments": []}
    with pytest.raises(NotFound, match="is not attached to volume x"):
        send(world, "GET", ONE, server=server_id, volume="x")
    with pytest.raises(NotFound):
        send(world, "GET", ALL, server="x")
    with pytest.raises(Invalid):
        send(world, "GET", ALL, "offset=-1", server=server_id)
