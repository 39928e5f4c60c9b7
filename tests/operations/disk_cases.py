"""The step harness's cases of volumes and images, and of what changes a guest from inside."""

from __future__ import annotations

from collections.abc import Callable

from hanok.model.image import Image
from hanok.model.power import PowerState
from hanok.model.volume import Volume
from hanok.store import images, volumes
from tests.operations.case import ON, Action, Case, active, created, does, nothing, on_host
from tests.operations.world import GIB, IMAGE, PROJECT, World


def _image(world: World) -> Image | None:
    """The one image beside the region's own."""
    with world.store.read() as reader:
        found = images.page(reader, images.Listing(PROJECT, 10))
    assert found is not None
    made = [image for image in found if image.id != IMAGE]
    assert len(made) <= 1
    return made[0] if made else None


def _on_local_disk(world: World) -> str:
    server_id = world.create(local=True)
    world.settle()
    return server_id


def _create_image(world: World, server_id: str) -> str:
    return does("createImage", {"name": "copy"})(world, server_id)


def _imaged(world: World, server_id: str) -> None:
    active(local=True)(world, server_id)
    assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
    image = _image(world)
    assert image is not None
    assert (image.name, image.status, image.virtual_bytes) == ("copy", "active", 20 * GIB)


def _not_imaged(world: World, server_id: str) -> None:
    """An image that could not be made leaves nothing, and the server running."""
    active(local=True)(world, server_id)
    assert world.drivers.compute.power_state(server_id) == PowerState.RUNNING
    assert world.server(server_id).fault is not None
    assert _image(world) is None


def _password_changed(world: World, server_id: str) -> None:
    ON(world, server_id)
    log = world.drivers.compute.console_log(server_id, 1 << 16)
    assert log.endswith(b"passwd: changed for root\n")


_GUEST = (
    Case(
        name="create_image",
        kind="create_image",
        before=_on_local_disk,
        submit=_create_image,
        done=_imaged,
        undone=_not_imaged,
        variant=True,
    ),
    on_host(
        "change_password",
        "change_password",
        created,
        Action(does("changePassword", {"adminPass": "new-word"}), _password_changed),
    ),
)


def _volume(world: World) -> Volume | None:
    """The one volume, whose servers are none."""
    with world.store.read() as reader:
        found = volumes.page(reader, volumes.Listing(PROJECT, 10))
    assert found is not None
    assert len(found) <= 1
    return found[0][0] if found else None


def _create_volume(world: World, _subject: str) -> str:
    body = {"volume": {"size": 2, "name": "data"}}
    return str(world.block_storage("POST", "volumes", body).body["volume"]["id"])


def _blank_volume(world: World) -> str:
    volume_id = _create_volume(world, "")
    world.settle()
    return volume_id


def _delete_volume(world: World, volume_id: str) -> str:
    world.block_storage("DELETE", "volumes/{volume}", volume=volume_id)
    return volume_id


def _volume_is(status: str, disks: int) -> Callable[[World, str], None]:
    def check(world: World, volume_id: str) -> None:
        volume = _volume(world)
        assert volume is not None
        assert (volume.id, volume.status) == (volume_id, status)
        assert world.reality() == {"domains": 0, "disks": disks, "ports": 0, "networks": 0}

    return check


def _nothing_left(world: World, _subject: str) -> None:
    world.assert_nothing_is_left()


def _upload(world: World, volume_id: str, **more: object) -> None:
    asked = {"os-volume_upload_image": {"image_name": "copy", **more}}
    world.block_storage("POST", "volumes/{volume}/action", asked, volume=volume_id)


def _upload_volume(world: World, volume_id: str) -> str:
    _upload(world, volume_id, disk_format="qcow2")
    return volume_id


def _upload_root(world: World, server_id: str) -> str:
    volume = _volume(world)
    assert volume is not None
    _upload(world, volume.id, force=True)
    return server_id


def _uploaded(world: World, size_gib: int, disk_format: str) -> None:
    image = _image(world)
    assert image is not None
    assert (image.status, image.disk_format) == ("active", disk_format)
    assert (image.virtual_bytes, image.min_disk_gib) == (size_gib * GIB, size_gib)


def _volume_uploaded(world: World, volume_id: str) -> None:
    _volume_is("available", 1)(world, volume_id)
    _uploaded(world, 2, "qcow2")


def _volume_not_uploaded(world: World, volume_id: str) -> None:
    _volume_is("available", 1)(world, volume_id)
    assert _image(world) is None


def _root_is_in_use(world: World, server_id: str) -> None:
    ON(world, server_id)
    volume = _volume(world)
    assert volume is not None
    assert volume.status == "in-use"


def _root_uploaded(world: World, server_id: str) -> None:
    _root_is_in_use(world, server_id)
    _uploaded(world, 10, "raw")


def _root_not_uploaded(world: World, server_id: str) -> None:
    _root_is_in_use(world, server_id)
    assert _image(world) is None


_VOLUMES = (
    Case(
        name="create_volume",
        kind="create_volume",
        before=nothing,
        submit=_create_volume,
        done=_volume_is("available", 1),
        undone=_volume_is("error", 0),
    ),
    Case(
        name="delete_volume",
        kind="delete_volume",
        before=_blank_volume,
        submit=_delete_volume,
        done=_nothing_left,
        undone=_nothing_left,
        undo=False,
    ),
    Case(
        name="upload_volume of its own",
        kind="upload_volume",
        before=_blank_volume,
        submit=_upload_volume,
        done=_volume_uploaded,
        undone=_volume_not_uploaded,
        variant=True,
    ),
    Case(
        name="upload_volume of a running server",
        kind="upload_volume",
        before=created,
        submit=_upload_root,
        done=_root_uploaded,
        undone=_root_not_uploaded,
        variant=True,
    ),
)
CASES = (*_GUEST, *_VOLUMES)
