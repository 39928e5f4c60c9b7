from __future__ import annotations

from hanok.api._links import Links

BASE = "https://kr1-api-instance-infrastructure.nhncloudservice.com"
PROJECT = "6cdebe3eb0094910bc41f1d42ebe4cb7"
LINKS = Links(BASE, "v2", PROJECT)


def test_links_are_those_of_the_guides_examples() -> None:
    flavor = "013bea75-8541-4c6f-9abe-a03fee3d74fe"
    assert LINKS.both("flavors", flavor) == [
        {"rel": "self", "href": f"{BASE}/v2/{PROJECT}/flavors/{flavor}"},
        {"rel": "bookmark", "href": f"{BASE}/{PROJECT}/flavors/{flavor}"},
    ]
    assert LINKS.bookmark("flavors", flavor) == LINKS.both("flavors", flavor)[1:]


def test_a_collection_is_reached_in_its_version() -> None:
    assert LINKS.collection("servers/detail") == f"{BASE}/v2/{PROJECT}/servers/detail"
