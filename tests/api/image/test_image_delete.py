from __future__ import annotations

import pytest

from hanok.api.image.image_delete import erase
from hanok.store import images, servers, volumes
from tests.api.image.images_made import ABSENT, folders, put, refusal, register, upload
from tests.api.one_region import OneRegion
from tests.region_store import a_server, an_image, uuid
from tests.store.volume_rows import a_volume


def test_bytes_and_row_go_and_the_id_is_free(api: OneRegion) -> None:
    image_id = register(api)
    assert upload(api, image_id, b"x" * 512).status_code == 204
    assert folders(api) == [image_id]
    gone = api.call("DELETE", f"/v2/images/{image_id}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert folders(api) == []
    for method in ("GET", "DELETE"):
        missing = api.call(method, f"/v2/images/{image_id}")
        assert refusal(missing) == (404, f"No image found with ID {image_id}")
    assert register(api, id=image_id) == image_id


@pytest.mark.parametrize("status", ["queued", "killed"])
def test_an_image_without_bytes_can_be_deleted(api: OneRegion, status: str) -> None:
    put(api, an_image(1, status=status, size_bytes=None, checksum=None))
    assert api.call("DELETE", f"/v2/images/{uuid(1)}").status_code == 204


def test_what_was_never_there_is_a_404(api: OneRegion) -> None:
    assert refusal(api.call("DELETE", f"/v2/images/{ABSENT}"))[0] == 404


def test_a_protected_image_stays_even_for_an_administrator(api: OneRegion) -> None:
    put(api, an_image(1, protected=True))
    sentence = f"Image {uuid(1)} is protected and cannot be deleted."
    for caller in ("member", "admin"):
        assert refusal(api.call("DELETE", f"/v2/images/{uuid(1)}", caller=caller)) == (
            403,
            sentence,
        )
    assert api.get(f"/v2/images/{uuid(1)}")["status"] == "active"


def test_an_image_that_a_volume_or_a_server_in_the_making_is_made_from_stays(
    api: OneRegion,
) -> None:
    put(api, *(an_image(n) for n in (1, 2, 3)))
    with api.store.write() as tx:
        volumes.add(tx, a_volume(1, image_id=uuid(1)))
        servers.add(tx, a_server(2, image_id=uuid(2), vm_state="building"))
        # One that runs has a disk's row of its own, or none that comes from the image.
        servers.add(tx, a_server(3, image_id=uuid(3)))
    for number in (1, 2):
        code, sentence = refusal(api.call("DELETE", f"/v2/images/{uuid(number)}"))
        assert code == 409
        assert "in use: 1 volumes" in sentence
        assert api.get(f"/v2/images/{uuid(number)}")["status"] == "active"
    assert api.call("DELETE", f"/v2/images/{uuid(3)}").status_code == 204


def test_bytes_that_cannot_be_removed_leave_a_promise(
    api: OneRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = register(api)
    upload(api, image_id, b"x" * 512)

    def fail(_images: object, _image_id: str) -> None:
        raise OSError("the disk is broken")

    with monkeypatch.context() as broken:
        broken.setattr(type(api.region.images), "remove", fail)
        assert api.call("DELETE", f"/v2/images/{image_id}").status_code == 500
    assert api.call("GET", f"/v2/images/{image_id}").status_code == 404
    with api.store.read() as reader:
        assert images.doomed(reader) == [image_id]
    for _ in range(2):
        erase(api.region, image_id)
    assert folders(api) == []
    with api.store.read() as reader:
        assert images.doomed(reader) == []
