"""The image service: every endpoint."""

from __future__ import annotations

from hanok.api._call import Service
from hanok.api._errors import image_shape
from hanok.api.image import (
    discovery,
    image_create,
    image_data,
    image_delete,
    image_patch,
    images,
    schemas,
    tags,
)


def service() -> Service:
    """Return the service, to be mounted below `/{region}/image`."""
    endpoints = (
        *discovery.ENDPOINTS,
        *images.ENDPOINTS,
        *image_create.ENDPOINTS,
        *image_data.ENDPOINTS,
        *image_patch.ENDPOINTS,
        *image_delete.ENDPOINTS,
        *tags.ENDPOINTS,
        *schemas.ENDPOINTS,
    )
    return Service("image", endpoints, image_shape)
