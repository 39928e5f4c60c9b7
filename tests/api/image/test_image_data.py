from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import httpx
import pytest

from hanok.api import _stream
from hanok.api.image.recovery import tend
from hanok.model.errors import Unavailable
from hanok.store import images
from hanok.store.database import Database
from tests.api.image.images_made import (
    ABSENT,
    BYTES,
    folders,
    put,
    refusal,
    register,
    show,
    upload,
)
from tests.api.one_region import LARGEST_IMAGE, OneRegion
from tests.media.qcow2_bytes import GIB, qcow2
from tests.region_store import OTHER, an_image, uuid

RAW = bytes(range(256)) * 1024


def test_bytes_go_in_and_come_out_again(api: OneRegion) -> None:
    image_id = register(api)
    stored = upload(api, image_id, RAW)
    assert (stored.status_code, stored.content) == (204, b"")
    checksum = hashlib.md5(RAW, usedforsecurity=False).hexdigest()
    image = show(api, image_id)
    assert {name: image[name] for name in ("status", "size", "virtual_size", "checksum")} == {
        "status": "active",
        "size": len(RAW),
        "virtual_size": len(RAW),
        "checksum": checksum,
    }
    sent = api.call("GET", f"/v2/images/{image_id}/file", caller="reader")
    assert (sent.status_code, sent.content) == (200, RAW)
    assert sent.headers["content-type"] == "application/octet-stream"
    assert sent.headers["content-md5"] == checksum
    assert sent.headers["content-length"] == str(len(RAW))
    head = api.call("HEAD", f"/v2/images/{image_id}/file")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(RAW)))


def test_a_qcow2_s_disk_is_larger_than_its_bytes(api: OneRegion) -> None:
    image_id = register(api, disk_format="qcow2")
    assert upload(api, image_id, qcow2()).status_code == 204
    image = show(api, image_id)
    assert (image["size"], image["virtual_size"]) == (len(qcow2()), GIB)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_bytes_that_a_delete_has_just_taken_are_a_404(api: OneRegion, method: str) -> None:
    """The row was read before the delete, the bytes are asked for after it."""
    image_id = register(api)
    assert upload(api, image_id, RAW).status_code == 204
    api.region.images.remove(image_id)
    assert api.call(method, f"/v2/images/{image_id}/file").status_code == 404


@pytest.mark.parametrize("status", ["queued", "saving", "killed"])
def test_there_is_nothing_to_read_before_there_are_bytes(api: OneRegion, status: str) -> None:
    put(api, an_image(1, status=status))
    nothing = api.call("GET", f"/v2/images/{uuid(1)}/file")
    assert (nothing.status_code, nothing.content) == (204, b"")


@pytest.mark.parametrize("status", ["active", "saving", "killed"])
def test_stored_bytes_are_never_changed(api: OneRegion, status: str) -> None:
    put(api, an_image(1, status=status, disk_format="raw"))
    sentence = f"Image status transition from {status} to saving is not allowed"
    assert refusal(upload(api, uuid(1), RAW)) == (409, sentence)
    assert folders(api) == []
    assert show(api, uuid(1))["status"] == status


def test_who_may_not_send_bytes(api: OneRegion) -> None:
    put(api, an_image(1, status="queued", project_id=OTHER, visibility="community"))
    put(api, an_image(2, status="queued", project_id=OTHER, visibility="private"))
    mine = register(api)
    assert refusal(upload(api, uuid(1), RAW))[0] == 403
    assert refusal(upload(api, uuid(2), RAW))[0] == 404
    assert refusal(api.call("GET", f"/v2/images/{uuid(2)}/file"))[0] == 404
    assert refusal(upload(api, ABSENT, RAW))[0] == 404
    assert refusal(upload(api, mine, RAW, caller="reader"))[0] == 403
    assert folders(api) == []


@pytest.mark.parametrize("kind", ["", "application/json", "application/x-www-form-urlencoded"])
def test_what_is_not_said_to_be_bytes_is_a_415(api: OneRegion, kind: str) -> None:
    image_id = register(api)
    headers = {"Content-Type": kind}
    refused = api.call("PUT", f"/v2/images/{image_id}/file", RAW, headers=headers)
    sentence = "The content type of an image's data is application/octet-stream."
    assert refusal(refused) == (415, sentence)
    assert show(api, image_id)["status"] == "queued"


def test_the_formats_come_first(api: OneRegion) -> None:
    image_id = register(api, disk_format=None, container_format=None)
    sentence = "Properties disk_format, container_format must be set prior to saving data."
    assert refusal(upload(api, image_id, RAW)) == (400, sentence)
    assert show(api, image_id)["status"] == "queued"


@pytest.mark.parametrize(
    ("disk_format", "data"),
    [
        ("qcow2", RAW),
        ("qcow2", qcow2(backing_offset=512, backing_length=11)),
        ("raw", qcow2()),
        ("raw", b""),
    ],
    ids=["not a qcow2", "a qcow2 that reads another file", "a qcow2 said to be raw", "nothing"],
)
def test_bytes_that_are_not_what_was_declared_kill_the_image(
    api: OneRegion, disk_format: str, data: bytes
) -> None:
    image_id = register(api, disk_format=disk_format)
    assert refusal(upload(api, image_id, data))[0] == 400
    image = show(api, image_id)
    assert (image["status"], image["size"], image["checksum"]) == ("killed", None, None)
    assert folders(api) == []
    assert api.call("DELETE", f"/v2/images/{image_id}").status_code == 204


def test_an_image_that_is_too_large_is_refused_by_its_length(api: OneRegion) -> None:
    image_id = register(api)
    assert upload(api, image_id, bytes(LARGEST_IMAGE)).status_code == 204
    other = register(api)
    refused = upload(api, other, bytes(LARGEST_IMAGE + 1))
    assert refusal(refused) == (
        413,
        "The image is larger than 0.00390625 GiB, the most that is taken.",
    )
    assert show(api, other)["status"] == "queued"
    assert folders(api) == [image_id]


def test_a_full_disk_is_a_413_and_the_image_can_be_tried_again(
    api: OneRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = register(api)

    class Usage(NamedTuple):
        free: int

    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _path: Usage(1 << 20))
        refused = upload(api, image_id, RAW)
    assert refusal(refused) == (413, "There is not enough space left for this image.")
    assert show(api, image_id)["status"] == "queued"
    assert folders(api) == []
    assert upload(api, image_id, RAW).status_code == 204


def test_a_fault_of_ours_leaves_the_image_to_be_tried_again(
    api: OneRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = register(api)

    def broken(*_: object) -> None:
        raise OSError("the disk is broken")

    with monkeypatch.context() as patched:
        patched.setattr(type(api.region.images), "add", broken)
        assert upload(api, image_id, RAW).status_code == 500
    assert show(api, image_id)["status"] == "queued"


# -- while the bytes come --------------------------------------------------------------------------


Meanwhile = Callable[[httpx.AsyncClient], Awaitable[None]]


def slowly(api: OneRegion, image_id: str, meanwhile: Meanwhile) -> httpx.Response:
    """Upload in two pieces; `meanwhile` happens when the first is on the disk, before the last."""

    async def send() -> httpx.Response:
        async with api.client() as client:

            async def body() -> AsyncIterator[bytes]:
                yield RAW
                for _ in range(400):
                    if folders(api):
                        break
                    await asyncio.sleep(0.005)
                await meanwhile(client)
                yield RAW

            path = f"v2/images/{image_id}/file"
            return await client.put(path, content=body(), headers=BYTES)

    return asyncio.run(send())


def test_the_first_of_two_uploads_at_once_is_the_one(api: OneRegion) -> None:
    image_id = register(api)
    second: list[int] = []

    async def again(client: httpx.AsyncClient) -> None:
        shown = await client.get(f"v2/images/{image_id}")
        assert shown.json()["status"] == "saving"
        answer = await client.put(f"v2/images/{image_id}/file", content=b"x" * 512, headers=BYTES)
        second.append(answer.status_code)

    assert slowly(api, image_id, again).status_code == 204
    assert second == [409]
    assert api.region.images.path(image_id).read_bytes() == RAW * 2


def test_an_image_that_is_deleted_under_its_upload_goes_with_the_uploads_end(
    api: OneRegion,
) -> None:
    image_id = register(api)
    codes: list[int] = []

    async def remove(client: httpx.AsyncClient) -> None:
        deleted = await client.delete(f"v2/images/{image_id}")
        # What the region's watch does every few seconds.
        await asyncio.to_thread(tend, api.region)
        answers = [
            deleted,
            await client.get(f"v2/images/{image_id}"),
            await client.post("v2/images", json={"id": image_id}),
        ]
        codes.extend(answer.status_code for answer in answers)

    late = slowly(api, image_id, remove)
    assert codes == [204, 404, 409], "nobody else gets the id while bytes come for it"
    assert late.status_code == 410
    assert f"Image {image_id} was deleted while its data was uploaded." in late.text
    assert folders(api) == []
    assert register(api, id=image_id) == image_id


def test_an_image_that_is_deleted_under_an_upload_that_fails_is_gone_too(api: OneRegion) -> None:
    image_id = register(api, disk_format="qcow2")

    async def remove(client: httpx.AsyncClient) -> None:
        assert (await client.delete(f"v2/images/{image_id}")).status_code == 204

    assert slowly(api, image_id, remove).status_code == 400
    with api.store.read() as reader:
        assert images.doomed(reader) == []
    assert folders(api) == []


def test_bytes_of_an_upload_under_a_delete_that_cannot_be_removed_are_promised_to_go(
    api: OneRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = register(api)

    def broken(*_: object) -> None:
        raise OSError("the disk is broken")

    async def remove(client: httpx.AsyncClient) -> None:
        assert (await client.delete(f"v2/images/{image_id}")).status_code == 204
        monkeypatch.setattr(type(api.region.images), "remove", broken)

    assert slowly(api, image_id, remove).status_code == 500
    monkeypatch.undo()
    assert folders(api) == [image_id]
    tend(api.region)
    assert folders(api) == []
    assert register(api, id=image_id) == image_id


@pytest.mark.parametrize("deleted", [False, True])
def test_an_upload_that_ends_while_the_store_is_silent_is_ended_when_it_answers(
    api: OneRegion, monkeypatch: pytest.MonkeyPatch, *, deleted: bool
) -> None:
    image_id = register(api)

    def silent(_store: Database) -> None:
        raise Unavailable("The service cannot reach its database at the moment; try again.")

    async def silence(client: httpx.AsyncClient) -> None:
        if deleted:
            assert (await client.delete(f"v2/images/{image_id}")).status_code == 204
        monkeypatch.setattr(Database, "write", silent)

    assert slowly(api, image_id, silence).status_code == 503
    with pytest.raises(Unavailable):
        tend(api.region)
    monkeypatch.undo()
    for _ in range(2):
        tend(api.region)
    assert folders(api) == []
    if deleted:
        assert register(api, id=image_id) == image_id
    assert show(api, image_id)["status"] == "queued"
    assert upload(api, image_id, RAW).status_code == 204
    tend(api.region)
    assert show(api, image_id)["status"] == "active"


def test_an_end_that_the_store_took_before_it_fell_silent_is_the_end(api: OneRegion) -> None:
    image_id = register(api)
    api.region.unended.add(image_id)
    assert upload(api, image_id, RAW).status_code == 204
    api.region.unended.add(image_id)
    tend(api.region)
    assert (show(api, image_id)["status"], api.region.unended) == ("active", set())
    assert folders(api) == [image_id]


def test_a_body_without_a_length_is_cut_at_the_limit(api: OneRegion) -> None:
    image_id = register(api)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += len(RAW)
            yield RAW

    async def send() -> httpx.Response:
        async with api.client() as client:
            path = f"v2/images/{image_id}/file"
            return await client.put(path, content=endless(), headers=BYTES)

    assert asyncio.run(send()).status_code == 413
    assert sent < 2 * LARGEST_IMAGE
    assert show(api, image_id)["status"] == "queued"
    assert folders(api) == []


def interrupted(api: OneRegion, image_id: str, events: list[dict[str, Any]]) -> int:
    """Send an upload that ends as `events` say; after them the client says nothing any more."""
    answered: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "PUT",
        "path": f"{api.prefix}/v2/images/{image_id}/file",
        "query_string": b"",
        "headers": [
            (b"host", b"cloud.example"),
            (b"x-auth-token", b"member"),
            (b"content-type", BYTES["Content-Type"].encode()),
            (b"content-length", str(3 * len(RAW)).encode()),
        ],
    }

    async def run() -> None:
        left = iter(events)

        async def receive() -> dict[str, Any]:
            event = next(left, None)
            if event is None:
                await asyncio.Event().wait()
            assert event is not None
            return event

        async def send(event: dict[str, Any]) -> None:
            answered.append(event)

        await api.app(scope, receive, send)

    asyncio.run(run())
    return int(answered[0]["status"])


PIECE: dict[str, Any] = {"type": "http.request", "body": RAW, "more_body": True}


def test_an_upload_whose_client_goes_away_can_be_made_again(api: OneRegion) -> None:
    image_id = register(api)
    events = [PIECE, PIECE, {"type": "http.disconnect"}]
    assert interrupted(api, image_id, events) == 400
    assert show(api, image_id)["status"] == "queued", "not killed: its bytes were never wrong"
    assert folders(api) == []
    assert upload(api, image_id, RAW).status_code == 204


def test_a_client_that_falls_silent_holds_no_worker(
    api: OneRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_stream, "IDLE_SECONDS", 0.1)
    image_id = register(api)
    assert interrupted(api, image_id, [PIECE, PIECE]) == 400
    assert show(api, image_id)["status"] == "queued"
    assert folders(api) == []
