"""Images whose end is promised are removed; what a process that died left undone is mended."""

from __future__ import annotations

import structlog

from hanok.api._region import Region
from hanok.api.image.image_delete import erase
from hanok.store import images

log = structlog.get_logger("hanok.images")


def recover(region: Region) -> None:
    """Let interrupted uploads be tried again, and finish deletions; run before the API opens.

    What nobody knows is named in the log.
    """
    with region.store.read() as reader:
        interrupted = images.interrupted(reader)
    for image_id in interrupted:
        _end_upload(region, image_id)
    erase_doomed(region)
    _name_unknown(region)


def tend(region: Region) -> None:
    """End the uploads that could not be ended in their time, and finish deletions; a chore."""
    if region.unended:
        _end_unended(region)
    erase_doomed(region)


def _end_unended(region: Region) -> None:
    late = tuple(region.unended)
    with region.store.read() as reader:
        interrupted = images.interrupted(reader)
    for image_id in late:
        # One that is noted nevertheless: the store went silent just after it had taken the note.
        if image_id not in interrupted or _end_upload(region, image_id):
            region.unended.discard(image_id)


def _name_unknown(region: Region) -> None:
    """Tell the operator of bytes that no row knows; the store may be an old one, so they stay."""
    stored = region.images.ids()
    with region.store.read() as reader:
        going = {*images.doomed(reader), *images.interrupted(reader)}
        unknown = [
            one for one in stored if one not in going and images.get(reader, one, None) is None
        ]
    if unknown:
        log.warning("bytes of images that no image has", images=unknown, region=region.name)


def _end_upload(region: Region, image_id: str) -> bool:
    """Undo an upload whose bytes may be stored, with a row that does not say so; False: not yet."""
    try:
        region.images.remove(image_id)
    except OSError:
        log.exception("an interrupted upload's bytes cannot be removed", image=image_id)
        return False
    with region.store.write() as tx:
        images.end_upload(tx, image_id)
        images.set_status(tx, image_id, "queued", region.clock.now())
    log.info("an interrupted upload has ended", image=image_id, region=region.name)
    return True


def erase_doomed(region: Region) -> None:
    """Remove the bytes and rows of images that are promised to go; what fails waits for later."""
    with region.store.read() as reader:
        doomed = images.doomed(reader)
    for image_id in doomed:
        try:
            erase(region, image_id)
        except OSError:
            log.exception("an image's bytes cannot be removed", image=image_id)
