"""Who sees an image and who may change it, for each visibility, through every kind of request."""

from __future__ import annotations

import pytest

from tests.api.image.images_made import put, refusal
from tests.api.one_region import OneRegion
from tests.region_store import MINE, OTHER, an_image, uuid

PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
FOREIGN = {"public": 200, "community": 200, "private": 404, "shared": 404}
FOREIGN_CHANGE = {200: 403, 404: 404}


@pytest.mark.parametrize(("visibility", "code"), FOREIGN.items())
def test_another_projects_image(api: OneRegion, visibility: str, code: int) -> None:
    put(api, an_image(1, project_id=OTHER, visibility=visibility))
    path = f"/v2/images/{uuid(1)}"
    assert api.call("GET", path).status_code == code
    assert api.call("GET", path, caller="reader").status_code == code
    requests: list[tuple[str, str, object]] = [
        ("DELETE", path, None),
        ("PATCH", path, [{"op": "replace", "path": "/name", "value": "mine"}]),
        ("PUT", f"{path}/tags/mine", None),
        ("DELETE", f"{path}/tags/mine", None),
    ]
    for method, where, body in requests:
        refused = api.call(method, where, body, headers=PATCH)
        assert refused.status_code == FOREIGN_CHANGE[code], method
    shown = api.get(path, caller="other")
    assert (shown["name"], shown["tags"]) == ("image-1", [])


def test_a_colleague_and_an_administrator_may_change_what_is_not_their_own(api: OneRegion) -> None:
    put(api, *(an_image(n, project_id=MINE, visibility="private") for n in (1, 2)))
    put(api, an_image(3, project_id=OTHER, visibility="private"))
    assert api.call("DELETE", f"/v2/images/{uuid(1)}", caller="colleague").status_code == 204
    for number in (2, 3):
        assert api.call("DELETE", f"/v2/images/{uuid(number)}", caller="admin").status_code == 204


def test_the_clouds_own_images_are_an_administrators(api: OneRegion) -> None:
    put(api, an_image(1, project_id=None))
    path = f"/v2/images/{uuid(1)}"
    sentence = "You are not permitted to modify this image."
    assert refusal(api.call("DELETE", path)) == (403, sentence)
    assert api.get(path)["owner"] is None
    assert api.call("DELETE", path, caller="admin").status_code == 204


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_reader_changes_nothing(api: OneRegion, method: str) -> None:
    put(api, an_image(1))
    refused = api.call(method, f"/v2/images/{uuid(1)}", [], caller="reader", headers=PATCH)
    assert refusal(refused) == (403, "Policy doesn't allow images:write to be performed.")


def test_an_image_that_is_to_go_is_gone_for_everybody(api: OneRegion) -> None:
    put(api, an_image(1, status="pending_delete"))
    for caller in ("member", "admin"):
        gone = api.call("GET", f"/v2/images/{uuid(1)}", caller=caller)
        assert refusal(gone) == (404, f"No image found with ID {uuid(1)}")
