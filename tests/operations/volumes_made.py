"""Volumes of a world's, made and looked at as a client does; the host's refusals."""

from __future__ import annotations

from typing import Any

from hanok.model.volume import Volume, VolumeAttachment
from hanok.store import servers, volumes
from tests.operations.world import World, endpoint_of

ZONE = "kr-pub-a"
ALL = "/v2/{tenant}/servers/{server}/os-volume_attachments"


def refuses(verb: str, message: str = "The host will not.") -> list[dict[str, Any]]:
    """A rule by which a host refuses a verb for good."""
    return [{"verb": verb, "permanent": True, "message": message}]


def a_server(world: World, **more: Any) -> str:
    """A server that runs in the zone that volumes are made in."""
    server_id = world.create(availability_zone=ZONE, **more)
    world.settle()
    return server_id


def a_volume(world: World, **more: Any) -> str:
    """Ask for a volume and wait for what becomes of it."""
    body = {"volume": {"size": 1, "availability_zone": ZONE, **more}}
    made = world.block_storage("POST", "volumes", body)
    world.settle()
    return str(made.body["volume"]["id"])


def volume(world: World, volume_id: str) -> Volume:
    with world.store.read() as reader:
        found = volumes.find(reader, volume_id)
    assert found is not None
    return found


def attach(world: World, server_id: str, volume_id: str) -> None:
    body = {"volumeAttachment": {"volumeId": volume_id}}
    assert endpoint_of("POST", ALL).handler(world.call(body, server=server_id)).status == 200


def detach(world: World, server_id: str, volume_id: str) -> None:
    call = world.call(server=server_id, volume=volume_id)
    assert endpoint_of("DELETE", f"{ALL}/{{volume}}").handler(call).status == 202


def attachments(world: World, server_id: str) -> list[VolumeAttachment]:
    """Those beside the root's."""
    with world.store.read() as reader:
        found = volumes.of_server(reader, server_id)
    return [attachment for attachment, _ in found if attachment.boot_index != 0]


def events(world: World, server_id: str) -> list[tuple[str, Any]]:
    """What is on record of a server: the name and the details of each event."""
    with world.store.read() as reader:
        return [(event.name, event.detail) for event in servers.events(reader, server_id)]
