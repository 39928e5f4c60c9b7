"""Whose images a caller sees, and which of them he may change."""

from __future__ import annotations

from hanok.api._call import Call
from hanok.model.errors import Forbidden, NotFound
from hanok.model.image import Image
from hanok.store import images
from hanok.store.database import Reader, Transaction


def project_of(call: Call) -> str | None:
    """Return whose images the caller sees; None: everybody's, for an administrator."""
    return None if call.credentials.is_admin else call.credentials.project_id


def seen(reader: Reader, call: Call) -> Image:
    """Return the image that the path names. Raises NotFound."""
    return _or_missing(images.get(reader, call.params["image"], project_of(call)), call)


def editable(tx: Transaction, call: Call) -> Image:
    """Return the image that the path names, locked, if the caller may change it.

    Only its own project may, and administrators. Raises NotFound or Forbidden.
    """
    image = _or_missing(images.get_locked(tx, call.params["image"], project_of(call)), call)
    credentials = call.credentials
    if not credentials.is_admin and image.project_id != credentials.project_id:
        raise Forbidden("You are not permitted to modify this image.")
    return image


def _or_missing(image: Image | None, call: Call) -> Image:
    if image is None:
        raise NotFound(f"No image found with ID {call.params['image']}")
    return image
