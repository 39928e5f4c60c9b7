from __future__ import annotations

from hanok.api.image.view import view_image
from tests.region_store import MINE, an_image, uuid


def test_an_image_has_glances_attributes() -> None:
    image = an_image(1, tags=["lts"], min_disk_gib=10, min_ram_mib=512, virtual_bytes=2**33)
    path = f"/v2/images/{uuid(1)}"
    assert view_image(image) == {
        "id": uuid(1),
        "name": "image-1",
        "status": "active",
        "visibility": "public",
        "protected": False,
        "os_hidden": False,
        "owner": MINE,
        "disk_format": "qcow2",
        "container_format": "bare",
        "size": 2**31,
        "virtual_size": 2**33,
        "min_disk": 10,
        "min_ram": 512,
        "checksum": "0" * 32,
        "os_hash_algo": None,
        "os_hash_value": None,
        "tags": ["lts"],
        "created_at": "2023-11-14T22:13:21Z",
        "updated_at": "2023-11-14T22:13:21Z",
        "self": path,
        "file": f"{path}/file",
        "schema": "/v2/schemas/image",
        "os_type": "linux",
    }


def test_properties_are_flat_texts_and_hide_nothing() -> None:
    shown = view_image(an_image(1, properties={"n": 1, "id": "other", "status": "killed"}))
    assert (shown["n"], shown["id"], shown["status"]) == ("1", uuid(1), "active")
