"""What a process that died left undone among images; run before the API opens."""

from __future__ import annotations

import structlog

from hanok.api._region import Region
from hanok.api.image.image_delete import erase
from hanok.store import images

log = structlog.get_logger("hanok.images")


def recover(region: Region) -> None:
    """Let interrupted uploads be tried again, and finish deletions."""
    with region.store.write() as tx:
        count = images.requeue_interrupted(tx, region.clock.now())
        doomed = images.doomed(tx)
    if count:
        log.info("interrupted uploads can be tried again", count=count, region=region.name)
    for image_id in doomed:
        try:
            erase(region, image_id)
        except OSError:
            log.exception("an image's bytes cannot be removed", image=image_id)
