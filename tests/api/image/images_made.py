"""Images as a client makes them, and how it is told that it may not."""

from __future__ import annotations

from typing import Any

from falcon import testing

from hanok.media.image_store import ImageStore
from hanok.model.image import Image
from hanok.store import images
from tests.api.one_region import OneRegion

BYTES = {"Content-Type": "application/octet-stream"}
RAW = {"disk_format": "raw", "container_format": "bare"}
ABSENT = "00000000-0000-4000-8000-00000000dead"


def register(api: OneRegion, *, caller: str = "member", **attributes: Any) -> str:
    """Register an image; return its id."""
    made = api.call("POST", "/v2/images", {**RAW, **attributes}, caller=caller)
    assert made.status_code == 201, made.text
    return str(made.json["id"])


def upload(api: OneRegion, image_id: str, data: bytes, *, caller: str = "member") -> testing.Result:
    """Send an image's bytes."""
    path = f"/v2/images/{image_id}/file"
    return api.call("PUT", path, data, caller=caller, headers=BYTES)


def show(api: OneRegion, image_id: str, *, caller: str = "admin") -> dict[str, Any]:
    shown: dict[str, Any] = api.get(f"/v2/images/{image_id}", caller=caller)
    return shown


def put(api: OneRegion, *made: Image) -> None:
    """Store rows as they are, for states that a client's requests cannot reach alone."""
    with api.store.write() as tx:
        for image in made:
            images.add(tx, image)


def refusal(result: testing.Result) -> tuple[int, str]:
    """The code of a refusal in Glance's shape, and its sentence."""
    assert result.headers["content-type"] == "text/html; charset=UTF-8", result.text
    _, _, rest = result.text.partition("</h1>")
    return result.status_code, rest.partition("<br />")[0].strip()


def folders(api: OneRegion) -> list[str]:
    """Everything that lies among the images' bytes, half-made or whole."""
    store = api.region.images
    assert isinstance(store, ImageStore)
    return sorted(entry.name for entry in store.root.iterdir())
