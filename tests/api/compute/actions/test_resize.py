from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hanok.model.errors import Conflict, HanokError, Invalid
from hanok.model.server import VmState
from hanok.store import flavors, images, journal, quotas
from tests.operations.world import ADMIN, IMAGE, PROJECT, World, endpoint_of


@pytest.fixture
def server_id(world: World) -> str:
    made = world.create()
    world.settle()
    return made


def act(world: World, server_id: str, name: str, body: object = None) -> int:
    endpoint = endpoint_of("POST", "/v2/{tenant}/servers/{server}/action")
    return int(endpoint.handler(world.call({name: body}, server=server_id)).status)


def claimed(world: World) -> int:
    return world.rows()["used"]


@pytest.mark.parametrize("stopped", [False, True])
def test_resize_then_confirm_gives_the_new_size(
    world: World, server_id: str, stopped: bool
) -> None:
    if stopped:
        world.act(server_id, "os-stop")
        world.settle()
    before, target = claimed(world), world.flavor(local=False, number=1)
    assert act(world, server_id, "resize", {"flavorRef": target}) == 202
    world.settle()
    server = world.server(server_id)
    assert server.vm_state == VmState.RESIZED
    assert server.flavor_id == target
    assert server.power_state == (4 if stopped else 1)
    assert act(world, server_id, "confirmResize") == 204
    world.settle()
    server = world.server(server_id)
    assert server.vm_state == (VmState.STOPPED if stopped else VmState.ACTIVE)
    assert claimed(world) == before + 1024
    assert act(world, server_id, "confirmResize") == 204, "a no-op for a while"
    world.assert_exactly_one()


def test_revert_gives_everything_back(world: World, server_id: str) -> None:
    before, old = claimed(world), world.server(server_id).flavor_id
    act(world, server_id, "resize", {"flavorRef": world.flavor(local=False, number=1)})
    world.settle()
    assert claimed(world) > before, "room for both is held"
    assert act(world, server_id, "revertResize") == 202
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.flavor_id, server.resized) == ("active", old, None)
    assert claimed(world) == before
    world.assert_exactly_one()


def test_each_rule_says_what_is_wrong(world: World, server_id: str) -> None:
    own = world.server(server_id).flavor_id
    for wanted, text in (
        (own, "must change flavor"),
        ("nobody", "could not be found"),
        (world.flavor(local=True), "U2"),
        (None, "names a flavor"),
        ({"id": 1}, "names a flavor"),
    ):
        with pytest.raises(HanokError) as caught:
            act(world, server_id, "resize", {"flavorRef": wanted})
        assert text in caught.value.message
    with pytest.raises(Conflict, match="Cannot 'revertResize' instance"):
        act(world, server_id, "revertResize")
    with pytest.raises(Conflict, match="Cannot 'confirmResize' instance"):
        act(world, server_id, "confirmResize")
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"ram_mib": world.server(server_id).ram_mib})
    with pytest.raises(HanokError, match="Quota exceeded for ram"):
        act(world, server_id, "resize", {"flavorRef": world.flavor(local=False, number=1)})
    world.assert_exactly_one()


def cores(world: World) -> int:
    with world.store.read() as reader:
        return quotas.usage_of(reader, PROJECT).cores


def test_a_smaller_size_frees_no_quota_until_it_is_confirmed(world: World) -> None:
    """Else a revert would take what somebody else was given meanwhile."""
    large, small = (world.flavor(local=False, number=number) for number in (2, 0))
    made = world.create(flavorRef=large)
    world.settle()
    assert cores(world) == 2
    act(world, made, "resize", {"flavorRef": small})
    assert cores(world) == 2
    world.settle()
    assert world.server(made).vm_state == VmState.RESIZED
    assert cores(world) == 2
    act(world, made, "confirmResize")
    world.settle()
    assert cores(world) == 1


def test_a_resize_that_fails_gives_its_quota_back(world: World, server_id: str) -> None:
    larger = {"flavorRef": world.flavor(local=False, number=2)}
    with world.misbehaving(failures=[{"verb": "compute.resize", "permanent": True, "times": 1}]):
        act(world, server_id, "resize", larger)
        assert cores(world) == 2
        world.settle()
    assert world.server(server_id).vm_state == VmState.ACTIVE
    assert cores(world) == 1
    assert world.server(server_id).resized is None


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ({"properties": {"os_type": "windows"}}, "at least 2048 MB of RAM"),
        ({"min_ram_mib": 2048}, "memory is too small for requested image"),
    ],
)
def test_a_flavor_that_the_image_could_not_be_made_with_is_refused(
    world: World, image: dict[str, Any], text: str
) -> None:
    """Nova's check of the image, and the guide's rule for Windows, hold for the new flavor, too."""
    with world.store.read() as reader:
        tiny = images.get(reader, IMAGE, None)
    assert tiny is not None
    picky = replace(tiny, id="33333333-3333-4333-8333-333333333333", **image)
    with world.store.write() as tx:
        images.add(tx, picky)
    root = {
        "source_type": "image",
        "uuid": picky.id,
        "boot_index": 0,
        "volume_size": 50,
        "destination_type": "volume",
    }
    large, small = (world.flavor(local=False, number=number) for number in (1, 0))
    made = world.create(flavorRef=large, imageRef=picky.id, block_device_mapping_v2=[root])
    world.settle()
    with pytest.raises(Invalid, match=text):
        act(world, made, "resize", {"flavorRef": small})
    assert act(world, made, "resize", {"flavorRef": world.flavor(local=False, number=2)}) == 202
    world.settle()


def test_what_is_being_confirmed_is_not_taken_back_nor_confirmed_twice(
    world: World, server_id: str
) -> None:
    larger = {"flavorRef": world.flavor(local=False, number=2)}
    act(world, server_id, "resize", larger)
    world.settle()
    world.engine.stop()
    assert [act(world, server_id, "confirmResize") for _ in range(2)] == [204, 204]
    with pytest.raises(Conflict, match="while its resize is being confirmed"):
        act(world, server_id, "revertResize")
    assert world.server(server_id).task_state is None
    with world.store.read() as reader:
        kinds = [operation.kind for operation in journal.of_server(reader, server_id)]
    assert [kind.partition("@")[0] for kind in kinds].count("confirm_resize") == 1
    world.reopen().settle()
    assert world.server(server_id).flavor_id == larger["flavorRef"]


def test_a_resize_that_finds_no_room_says_what_is_lacking_and_what_to_change(
    world: World, server_id: str
) -> None:
    with world.store.write() as tx:
        quotas.change(tx, PROJECT, {"cores": -1, "ram_mib": -1})
    world.create(local=True)
    world.settle()
    act(world, server_id, "resize", {"flavorRef": world.flavor(local=False, number=-1)})
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.task_state) == (VmState.ACTIVE, None)
    message = (server.fault or {})["message"]
    for part in (
        "No valid host was found. Of 1 host: RAM dropped 1. The nearest fit has ",
        "asked for were 32, 262144 and 0. To go on, choose a flavor with less RAM. ",
        "A resized instance stays on its host.",
    ):
        assert part in message


def test_a_server_whose_resized_state_was_reset_is_resized_from_where_it_is(
    world: World, server_id: str
) -> None:
    """The row still says that it ran before its first resize; it does not run now."""
    act(world, server_id, "resize", {"flavorRef": world.flavor(local=False, number=1)})
    world.settle()
    world.ask(server_id, "os-resetState", {"state": "active"}, ADMIN)
    world.act(server_id, "os-stop")
    world.settle()
    act(world, server_id, "resize", {"flavorRef": world.flavor(local=False, number=2)})
    world.settle()
    act(world, server_id, "confirmResize")
    world.settle()
    server = world.server(server_id)
    assert (server.vm_state, server.power_state) == (VmState.STOPPED, 4)


@pytest.mark.parametrize(("local", "number"), [(False, 1), (True, 1), (True, 2)])
def test_a_u2_server_keeps_its_flavor_whichever_is_asked_for(
    world: World, local: bool, number: int
) -> None:
    """A flavor without a disk of its own is a 400 as any other: Nova's CannotResizeDisk."""
    made = world.create(local=True)
    world.settle()
    with pytest.raises(Invalid, match="flavors of U2 instances cannot be changed"):
        act(world, made, "resize", {"flavorRef": world.flavor(local=local, number=number)})


def test_a_u2_server_is_one_also_when_its_flavor_is_gone(world: World) -> None:
    made = world.create(local=True)
    world.settle()
    with world.store.write() as tx:
        assert flavors.remove(tx, world.server(made).flavor_id)
    with pytest.raises(Invalid, match="flavors of U2 instances cannot be changed"):
        act(world, made, "resize", {"flavorRef": world.flavor(local=False)})
