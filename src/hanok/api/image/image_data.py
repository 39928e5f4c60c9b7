"""An image's bytes, in and out (Glance: "Image data"). They are never held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import structlog

from hanok.api._call import Answer, Call, Endpoint
from hanok.api._region import Region
from hanok.api._stream import ClientGone
from hanok.api.image.access import editable, seen
from hanok.api.image.image_delete import erase
from hanok.model.errors import (
    Conflict,
    Gone,
    HostError,
    Invalid,
    NotFound,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from hanok.model.image import Image
from hanok.store import images

log = structlog.get_logger("hanok.images")
PATH = "/v2/images/{image}/file"
KIND = "application/octet-stream"
GIB = 1 << 30


def _upload(call: Call) -> Answer:
    """Store the body as the image's bytes: queued, saving, active.

    An upload that ends early leaves the image queued, to be tried again; bytes that are not what
    they were declared to be leave it killed. One that is deleted meanwhile goes, at the latest,
    when its upload ends. An end that the store cannot be told of is told later (`recovery.tend`).
    """
    _check_kind(call)
    image = _begin(call)
    try:
        kept = _store(call.region, image, call.blocks)
    except BaseException as error:
        bad = isinstance(error, Invalid) and not isinstance(error, ClientGone)
        if bad:
            log.warning("image refused", image=image.id, reason=str(error))
        with _noted_later(call.region, image.id):
            _leave(call.region, image.id, "killed" if bad else "queued")
        raise
    if not kept:
        with _noted_later(call.region, image.id):
            _finish_deletion(call.region, image.id)
        raise Gone(f"Image {image.id} was deleted while its data was uploaded.")
    return Answer(204)


@contextmanager
def _noted_later(region: Region, image_id: str) -> Iterator[None]:
    """Remember an upload that has ended where the store does not answer, and raise that."""
    try:
        yield
    except Unavailable:
        region.unended.add(image_id)
        raise


def _leave(region: Region, image_id: str, status: str) -> None:
    """Show how an upload failed, or finish the deletion that came while it was under way."""
    with region.store.write() as tx:
        kept = images.set_status(tx, image_id, status, region.clock.now())
    if not kept:
        _finish_deletion(region, image_id)


def _finish_deletion(region: Region, image_id: str) -> None:
    """Erase an image that was deleted under its upload; what fails is tried again later."""
    with region.store.write() as tx:
        images.end_upload(tx, image_id)
    erase(region, image_id)


def _check_kind(call: Call) -> None:
    """Refuse what is no image's bytes, or too many, before a byte of it is taken."""
    if call.content_type != KIND:
        raise UnsupportedMediaType(f"The content type of an image's data is {KIND}.")
    length = call.headers.get("content-length", "")
    if length.isdecimal() and int(length) > call.region.largest_image:
        raise _too_large(call.region.largest_image)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The image is larger than {limit / GIB:g} GiB, the most that is taken.")


def _begin(call: Call) -> Image:
    """Claim the image for this upload. Raises Conflict where it has bytes or soon will."""
    with call.region.store.write() as tx:
        image = editable(tx, call)
        if image.status != "queued" or images.is_in_hand(tx, image.id):
            raise Conflict(f"Image status transition from {image.status} to saving is not allowed")
        needed = {"disk_format": image.disk_format, "container_format": image.container_format}
        missing = ", ".join(name for name, value in needed.items() if value is None)
        if missing:
            raise Invalid(f"Properties {missing} must be set prior to saving data.")
        images.set_status(tx, image.id, "saving", call.region.clock.now())
        call.region.unended.discard(image.id)
    return image


def _store(region: Region, image: Image, blocks: Iterable[bytes]) -> bool:
    """Store the bytes and make the image active; False where it was deleted meanwhile."""
    # An earlier process may have stored bytes without noting it; they are not these.
    region.images.remove(image.id)
    source = _at_most(blocks, region.largest_image)
    stored = region.images.add(image.id, source, image.disk_format or "")
    with region.store.write() as tx:
        return images.set_active(
            tx,
            image.id,
            size_bytes=stored.size,
            virtual_bytes=stored.virtual_size,
            checksum=stored.checksum,
            now=region.clock.now(),
        )


def _at_most(blocks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > limit:
            raise _too_large(limit)
        yield block


def _download(call: Call) -> Answer:
    """Send the bytes; 204 where there are none yet."""
    with call.region.store.read() as reader:
        image = seen(reader, call)
    if image.status != "active":
        return Answer(204)
    headers = {"content-md5": image.checksum} if image.checksum else {}
    try:
        path = call.region.images.path(image.id)
    except HostError as error:  # a delete has taken the bytes since the row was read
        raise NotFound(f"No image found with ID {image.id}") from error
    return Answer(200, None, headers, KIND, path)


ENDPOINTS = (
    Endpoint("PUT", PATH, _upload, "images:write", stream=True),
    Endpoint("GET", PATH, _download, "images:read"),
)
