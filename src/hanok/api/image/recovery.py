"""Images whose end is promised are removed; what a process that died left undone is mended."""

from __future__ import annotations

import structlog

from hanok.api._region import Region
from hanok.api.image.image_delete import erase
from hanok.store import images

log = structlog.get_logger("hanok.images")


def recover(region: Region) -> None:
    """Let interrupted uploads be tried again, and finish deletions; run before the API opens."""
    with region.store.write() as tx:
        count = images.requeue_interrupted(tx, region.clock.now())
    if count:
        log.info("interrupted uploads can be tried again", count=count, region=region.name)
    erase_doomed(region)


def erase_doomed(region: Region) -> None:
    """Remove the bytes and rows of images that are promised to go; what fails waits for later."""
    with region.store.read() as reader:
        doomed = images.doomed(reader)
    for image_id in doomed:
        try:
            erase(region, image_id)
        except OSError:
            log.exception("an image's bytes cannot be removed", image=image_id)
