"""Images, as a project sees them."""

from __future__ import annotations

from dataclasses import asdict, fields

from sqlalchemy import bindparam, insert, or_, select

from hanok.model.image import Image
from hanok.store.database import Reader, Transaction
from hanok.store.region_tables import images

_columns = [images.c[f.name] for f in fields(Image)]
_seen = or_(images.c.visibility == "public", images.c.project_id == bindparam("project"))
_one = select(*_columns).where(images.c.id == bindparam("id"), _seen)


def get(reader: Reader, image_id: str, project_id: str) -> Image | None:
    """Return an image that is public or the project's own."""
    row = reader.first(_one, {"id": image_id, "project": project_id})
    return None if row is None else Image(**row._mapping)


def add(tx: Transaction, image: Image) -> None:
    """Store an image's row."""
    tx.run(insert(images), asdict(image))
