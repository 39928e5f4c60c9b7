"""Delete an image: first the promise, then the bytes, then the row, so that a crash loses none."""

from __future__ import annotations

from hanok.api._call import Answer, Call, Endpoint
from hanok.api._region import Region
from hanok.api.image.access import editable
from hanok.model.errors import Conflict, Forbidden
from hanok.store import images


def delete(call: Call) -> Answer:
    """`DELETE`: 204; raises NotFound, Forbidden, and Conflict while something needs the image."""
    region = call.region
    with region.store.write() as tx:
        image = editable(tx, call)
        if image.protected:
            raise Forbidden(f"Image {image.id} is protected and cannot be deleted.")
        disks = images.disks_of(tx, image.id)
        if disks:
            raise Conflict(
                f"Image {image.id} could not be deleted because it is in use: {disks} volumes or "
                "disks of servers are made from it. Delete them first."
            )
        if images.is_in_hand(tx, image.id):
            raise Conflict(
                f"Image {image.id} could not be deleted because it is being made from a server."
            )
        shelved = images.shelved_in(tx, image.id)
        if shelved is not None:
            raise Conflict(
                f"Image {image.id} could not be deleted because it holds the disk of instance "
                f"{shelved}, which is shelved. Unshelve or delete that instance."
            )
        images.doom(tx, image.id, region.clock.now())
    if image.status != "saving":  # else its upload is under way, and erases it at its end
        erase(region, image.id)
    return Answer(204)


def erase(region: Region, image_id: str) -> None:
    """Remove the bytes and then the row of an image that is promised to go; safe to repeat."""
    region.images.remove(image_id)
    with region.store.write() as tx:
        images.remove(tx, image_id)


ENDPOINTS = (Endpoint("DELETE", "/v2/images/{image}", delete, "images:write"),)
