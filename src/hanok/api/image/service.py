"""The image service: every endpoint."""

from __future__ import annotations

from hanok.api._call import Service
from hanok.api._errors import image_shape
from hanok.api.image import discovery, images, schemas


def service() -> Service:
    """Return the service, to be mounted below `/{region}/image`."""
    endpoints = (*discovery.ENDPOINTS, *images.ENDPOINTS, *schemas.ENDPOINTS)
    return Service("image", endpoints, image_shape)
