"""The step harness's cases of shelving and unshelving."""

from __future__ import annotations

from collections.abc import Callable

from hanok.model.power import PowerState
from hanok.model.server import VmState
from tests.operations.case import Case, active, does
from tests.operations.world import HOST, World


def _created_with(*, local: bool, shelved: bool = False) -> Callable[[World], str]:
    def before(world: World) -> str:
        server_id = world.create(local=local)
        world.settle()
        if shelved:
            world.act(server_id, "shelve")
            world.settle()
        return server_id

    return before


def _shelved(*, local: bool) -> Callable[[World, str], None]:
    """Nothing is left on the host but block storage; a local disk is in an image that is listed."""

    def check(world: World, server_id: str) -> None:
        server = world.server(server_id)
        assert (server.vm_state, server.task_state) == (VmState.SHELVED_OFFLOADED, None)
        assert (server.host_id, server.power_state) == (None, PowerState.SHUTDOWN)
        assert server.shelved is not None
        volumes = 0 if local else 1
        assert {name: count for name, count in world.rows().items() if count} == {
            "ports": 1,
            "fixed_ips": 1,
            **({} if local else {"volumes": 1, "volume_attachments": 1}),
        }
        assert world.reality() == {"domains": 0, "disks": volumes, "ports": 0, "networks": 0}
        kept = [image.id for image in world.own_images() if image.status == "active"]
        assert kept == ([server.shelved["image_id"]] if local else [])
        assert world.doomed_images() == []

    return check


def _not_shelved(*, local: bool) -> Callable[[World, str], None]:
    """A shelving that failed leaves the server running, with the reason and without the image."""

    def check(world: World, server_id: str) -> None:
        active(local=local)(world, server_id)
        server = world.server(server_id)
        assert server.fault is not None
        assert (server.host_id, server.shelved) == (HOST, None)
        assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
        assert world.own_images() == []
        assert len(world.doomed_images()) == (1 if local else 0)

    return check


def _unshelved(*, local: bool) -> Callable[[World, str], None]:
    def check(world: World, server_id: str) -> None:
        active(local=local)(world, server_id)
        server = world.server(server_id)
        assert (server.host_id, server.shelved, server.fault) == (HOST, None, None)
        assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
        assert world.own_images() == []
        assert len(world.doomed_images()) == (1 if local else 0)

    return check


def _not_unshelved(*, local: bool) -> Callable[[World, str], None]:
    def check(world: World, server_id: str) -> None:
        _shelved(local=local)(world, server_id)
        assert world.server(server_id).fault is not None

    return check


SHELVING = tuple(
    case
    for local, where in ((True, "on a local disk"), (False, "from a volume"))
    for case in (
        Case(
            name=f"shelve_server {where}",
            kind="shelve_server",
            before=_created_with(local=local),
            submit=does("shelve"),
            done=_shelved(local=local),
            undone=_not_shelved(local=local),
            variant=True,
        ),
        Case(
            name=f"unshelve_server {where}",
            kind="unshelve_server",
            before=_created_with(local=local, shelved=True),
            submit=does("unshelve"),
            done=_unshelved(local=local),
            undone=_not_unshelved(local=local),
            variant=True,
        ),
    )
)
