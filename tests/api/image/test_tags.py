from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.api.image.images_made import ABSENT, put, refusal, register, show
from tests.api.one_region import OneRegion
from tests.region_store import NOW, an_image, uuid

DAY = 86_400_000_000


def test_a_tag_is_added_once_and_removed_once(api: OneRegion) -> None:
    put(api, an_image(1, tags=["lts"], updated_at=NOW - DAY))
    path = f"/v2/images/{uuid(1)}"
    for _ in range(2):
        added = api.call("PUT", f"{path}/tags/web")
        assert (added.status_code, added.content) == (204, b"")
    assert show(api, uuid(1))["tags"] == ["lts", "web"]
    assert api.call("DELETE", f"{path}/tags/lts").status_code == 204
    assert show(api, uuid(1))["tags"] == ["web"]
    again = api.call("DELETE", f"{path}/tags/lts")
    assert refusal(again) == (404, f"Image {uuid(1)} has no tag lts.")


def test_only_a_change_is_a_change(api: OneRegion) -> None:
    put(api, an_image(1, tags=["lts"], updated_at=NOW - DAY))
    before = show(api, uuid(1))["updated_at"]
    api.call("PUT", f"/v2/images/{uuid(1)}/tags/lts")
    assert show(api, uuid(1))["updated_at"] == before
    api.call("PUT", f"/v2/images/{uuid(1)}/tags/web")
    assert show(api, uuid(1))["updated_at"] != before


@pytest.mark.parametrize("tag", ["한글", "a b", "100%", "x" * 255])
def test_any_text_is_a_tag(api: OneRegion, tag: str) -> None:
    image_id = register(api)
    assert api.call("PUT", f"/v2/images/{image_id}/tags/{quote(tag)}").status_code == 204
    assert show(api, image_id)["tags"] == [tag]


def test_what_is_no_tag_or_one_too_many_is_refused(api: OneRegion) -> None:
    image_id = register(api, tags=[str(n) for n in range(128)])
    path = f"/v2/images/{image_id}/tags"
    assert refusal(api.call("PUT", f"{path}/{'x' * 256}"))[0] == 400
    code, sentence = refusal(api.call("PUT", f"{path}/more"))
    assert (code, "Attempted: 129, Maximum: 128" in sentence) == (413, True)
    assert api.call("PUT", f"{path}/5").status_code == 204, "it is there"
    assert refusal(api.call("PUT", f"/v2/images/{ABSENT}/tags/x"))[0] == 404
    assert len(show(api, image_id)["tags"]) == 128


def test_tags_that_are_added_at_once_are_all_kept(api: OneRegion) -> None:
    image_id = register(api)
    codes = []
    for number in range(3):
        codes += api.at_once(4, "PUT", f"/v2/images/{image_id}/tags/t{number}", None)
    assert codes == [204] * 12
    assert show(api, image_id)["tags"] == ["t0", "t1", "t2"]
