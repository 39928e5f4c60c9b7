"""How an image looks to a client: Glance's attributes, and the image's own beside them."""

from __future__ import annotations

from typing import Any

from hanok.model.image import Image
from hanok.model.moments import iso


def view_image(image: Image) -> dict[str, Any]:
    """Return the image as JSON-able values; its own properties lie flat and hide no attribute."""
    address = f"/v2/images/{image.id}"
    return {
        **{name: str(value) for name, value in image.properties.items()},
        "id": image.id,
        "name": image.name,
        "status": image.status,
        "visibility": image.visibility,
        "protected": image.protected,
        "os_hidden": False,
        "owner": image.project_id,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "size": image.size_bytes,
        "virtual_size": image.virtual_bytes,
        "min_disk": image.min_disk_gib,
        "min_ram": image.min_ram_mib,
        "checksum": image.checksum,
        "os_hash_algo": None,
        "os_hash_value": None,
        "tags": image.tags,
        "created_at": iso(image.created_at),
        "updated_at": iso(image.updated_at),
        "self": address,
        "file": f"{address}/file",
        "schema": "/v2/schemas/image",
    }
