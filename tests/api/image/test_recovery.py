from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from hanok.api.image.recovery import recover
from hanok.media.image_store import ImageStore
from hanok.store import images
from tests.api.image.images_made import folders, put, register, show, upload
from tests.api.one_region import OneRegion
from tests.region_store import an_image, uuid


def test_an_upload_that_a_dead_process_began_can_be_made_again(api: OneRegion) -> None:
    image_id = register(api)
    put(api, an_image(1))
    with api.store.write() as tx:
        images.set_status(tx, image_id, "saving", 0)
    # The bytes were published, and the process died before the row said so.
    api.region.images.add(image_id, [b"old" * 512], "raw")
    recover(api.region)
    assert folders(api) == []
    assert show(api, image_id)["status"] == "queued"
    assert show(api, uuid(1))["status"] == "active"
    assert upload(api, image_id, b"new" * 512).status_code == 204
    assert api.region.images.path(image_id).read_bytes() == b"new" * 512


def test_deletions_are_finished(api: OneRegion) -> None:
    put(api, *(an_image(n, status="pending_delete") for n in (1, 2)))
    for number in (1, 3):
        api.region.images.add(uuid(number), [b"x" * 512], "raw")
    recover(api.region)
    assert folders(api) == [uuid(3)]
    with api.store.read() as reader:
        assert images.doomed(reader) == []


def test_an_image_that_was_deleted_under_a_dead_process_s_upload_is_gone(api: OneRegion) -> None:
    image_id = register(api)
    with api.store.write() as tx:
        images.set_status(tx, image_id, "saving", 0)
        assert images.doom(tx, image_id, 0)
    api.region.images.add(image_id, [b"x" * 512], "raw")
    recover(api.region)
    assert folders(api) == []
    assert register(api, id=image_id) == image_id


def test_bytes_that_no_row_knows_are_named_and_left_alone(api: OneRegion) -> None:
    """The store may have been restored from a backup."""
    put(api, an_image(1))
    for number in (1, 2):
        api.region.images.add(uuid(number), [b"x" * 512], "raw")
    with capture_logs() as lines:
        recover(api.region)
    assert [line["images"] for line in lines if line["log_level"] == "warning"] == [[uuid(2)]]
    assert folders(api) == [uuid(1), uuid(2)]
    with capture_logs() as lines:
        api.region.images.remove(uuid(2))
        recover(api.region)
    assert lines == []


@pytest.mark.parametrize("status", ["pending_delete", "saving"])
def test_bytes_that_cannot_be_removed_hold_up_nobody_else(
    api: OneRegion, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    put(api, an_image(1, status=status), an_image(2, status="pending_delete"))
    real = ImageStore.remove

    def remove(store: ImageStore, image_id: str) -> None:
        if image_id == uuid(1):
            raise PermissionError("not yours")
        real(store, image_id)

    monkeypatch.setattr(ImageStore, "remove", remove)
    recover(api.region)
    with api.store.read() as reader:
        assert [*images.doomed(reader), *images.interrupted(reader)] == [uuid(1)]
    monkeypatch.undo()
    recover(api.region)
    with api.store.read() as reader:
        assert [*images.doomed(reader), *images.interrupted(reader)] == []
