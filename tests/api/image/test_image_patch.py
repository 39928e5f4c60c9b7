from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from falcon import testing

from hanok.api.image.image_patch import Change, patch
from hanok.api.image.service import service
from hanok.model.errors import Conflict, HanokError
from tests.api.image.images_made import ABSENT, put, refusal, register, show
from tests.api.one_region import OneRegion, one_region
from tests.region_store import MINE, NOW, OTHER, an_image, uuid

KIND = "application/openstack-images-v2.1-json-patch"
DAY = 86_400_000_000
OLD_KIND = "application/openstack-images-v2.0-json-patch"


def send(
    api: OneRegion, image_id: str, changes: Any, *, caller: str = "member", kind: str = KIND
) -> testing.Result:
    headers = {"Content-Type": kind}
    return api.call("PATCH", f"/v2/images/{image_id}", changes, caller=caller, headers=headers)


def replaced(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def added(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def removed(path: str) -> dict[str, Any]:
    return {"op": "remove", "path": path}


def test_attributes_properties_and_tags_change_together(api: OneRegion) -> None:
    put(api, an_image(1, tags=["old"], properties={"os_type": "linux", "tc_env": "x"}))
    changes = [
        replaced("/name", "renamed"),
        replaced("/visibility", "private"),
        replaced("/protected", True),
        replaced("/min_disk", 20),
        added("/login_username", "ubuntu"),
        replaced("/os_type", "windows"),
        removed("/tc_env"),
        added("/a~1b~0c", "odd"),
        added("/tags/-", "new"),
        removed("/tags/0"),
    ]
    answer = send(api, uuid(1), changes)
    assert answer.status_code == 200, answer.text
    image = answer.json
    assert api.get(f"/v2/images/{uuid(1)}") == image
    assert (image["name"], image["visibility"], image["protected"]) == ("renamed", "private", True)
    assert (image["min_disk"], image["tags"]) == (20, ["new"])
    assert (image["login_username"], image["os_type"], image["a/b~c"]) == (
        "ubuntu",
        "windows",
        "odd",
    )
    assert "tc_env" not in image
    assert image["updated_at"] != image["created_at"]


def test_the_older_form_means_the_same(api: OneRegion) -> None:
    put(api, an_image(1, tags=["a"]))
    changes = [
        {"replace": "/name", "value": "renamed"},
        {"add": "/x", "value": "y"},
        {"remove": "/os_type"},
        {"add": "/tags/0", "value": "b"},
    ]
    image = send(api, uuid(1), changes, kind=f"{OLD_KIND}; charset=utf-8").json
    assert (image["name"], image["x"], image["tags"]) == ("renamed", "y", ["b", "a"])
    assert "os_type" not in image


@pytest.mark.parametrize("name", ["name", "tags", "os_hidden", "os_type"])
def test_the_older_form_adds_nothing_that_is_there(api: OneRegion, name: str) -> None:
    put(api, an_image(1))
    value: Any = {"tags": [], "os_hidden": False}.get(name, "x")
    refused = send(api, uuid(1), [{"add": f"/{name}", "value": value}], kind=OLD_KIND)
    assert refusal(refused) == (409, f"Property {name} already present.")
    assert send(api, uuid(1), [added(f"/{name}", value)]).status_code == 200


def test_a_property_that_an_attribute_hides_is_in_no_change_s_way(api: OneRegion) -> None:
    """The metadata of createImage may name anything."""
    put(api, an_image(1, properties={"status": "x", "owner": "y", "z": "z"}))
    image = send(api, uuid(1), [replaced("/name", "renamed")]).json
    assert (image["name"], image["status"], image["z"]) == ("renamed", "active", "z")


def test_one_wrong_change_undoes_all(api: OneRegion) -> None:
    put(api, an_image(1))
    before = show(api, uuid(1))
    refused = send(api, uuid(1), [replaced("/name", "renamed"), removed("/nothing")])
    assert refusal(refused) == (409, "Property nothing does not exist.")
    assert show(api, uuid(1)) == before


def test_nothing_changed_is_nothing_updated(api: OneRegion) -> None:
    put(api, an_image(1, updated_at=NOW - DAY))
    before = show(api, uuid(1))
    for changes in ([], [replaced("/name", "image-1")]):
        assert send(api, uuid(1), changes).json == before
    assert send(api, uuid(1), [replaced("/name", "x")]).json["updated_at"] != before["updated_at"]


WRONG: list[tuple[Any, int, str]] = [
    ({}, 400, "array"),
    ([5], 400, "object"),
    ([{"op": "test", "path": "/name", "value": "x"}], 400, "add, replace, remove"),
    ([{"op": "move", "from": "/a", "path": "/b"}], 400, "add, replace, remove"),
    ([{"op": "replace", "path": "/name"}], 400, '"value"'),
    ([{"op": "remove"}], 400, "Invalid JSON pointer"),
    ([removed("name")], 400, "Invalid JSON pointer"),
    ([removed("/")], 400, "Invalid JSON pointer"),
    ([replaced("/name/0", "x")], 400, "Invalid JSON pointer"),
    ([added("/a~2b", "x")], 400, "Invalid JSON pointer"),
    ([added("/a~", "x")], 400, "Invalid JSON pointer"),
    ([added("/deleted", "x")], 403, "'deleted' is reserved"),
    ([added("/os_glance_importing", "x")], 403, "'os_glance_importing' is reserved"),
    ([added("/tags/0/1", "x")], 400, "Invalid JSON pointer"),
    ([added("/tags/x", "x")], 400, "Invalid JSON pointer"),
    ([replaced("/name", 5)], 400, "name"),
    ([replaced("/min_ram", -1)], 400, "min_ram"),
    ([replaced("/tags", "lts")], 400, "tags"),
    ([added("/tags/-", 5)], 400, "tags"),
    ([added("/os_version", 22)], 400, "os_version"),
    ([replaced("/os_hidden", True)], 400, "os_hidden"),
    ([replaced("/id", uuid(2))], 403, "'id' is read-only"),
    ([replaced("/status", "active")], 403, "'status' is read-only"),
    ([added("/locations/-", {})], 400, "Invalid JSON pointer"),
    ([replaced("/locations", [])], 403, "'locations' is read-only"),
    ([removed("/name")], 403, "Property name may not be removed."),
    ([replaced("/visibility", "public")], 403, "publish"),
    ([replaced("/owner", OTHER)], 403, "owner"),
    ([replaced("/disk_format", "raw")], 403, "queued"),
    ([replaced("/nothing", "x")], 409, "Property nothing does not exist."),
    ([removed("/tags/1")], 409, "no tag"),
    ([replaced("/tags/-", "x")], 409, "no tag"),
    ([added("/tags/2", "x")], 409, "no tag"),
    ([added(f"/p{n}", "") for n in range(128)], 413, "Maximum: 128"),
    ([removed("/x")] * 1001, 400, "1000"),
]


@pytest.fixture(scope="module")
def one_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneRegion]:
    """A region with one image, for all that changes nothing."""
    with one_region(f"sqlite:///{tmp_path_factory.mktemp('patch')}/hanok.sqlite", service()) as api:
        put(api, an_image(1, tags=["only"], visibility="private"))
        yield api


@pytest.mark.parametrize(("changes", "code", "words"), WRONG)
def test_a_wrong_patch_is_refused_in_glances_words(
    one_image: OneRegion, changes: Any, code: int, words: str
) -> None:
    before = show(one_image, uuid(1))
    status, sentence = refusal(send(one_image, uuid(1), changes))
    assert (status, words in sentence) == (code, True), (status, sentence)
    assert show(one_image, uuid(1)) == before


@pytest.mark.parametrize("item", [{}, {"add": "/a", "remove": "/b", "value": "x"}, {"op": "add"}])
def test_an_operation_of_the_older_form_has_one_verb(one_image: OneRegion, item: Any) -> None:
    code, sentence = refusal(send(one_image, uuid(1), [item], kind=OLD_KIND))
    assert (code, "exactly one of" in sentence) == (400, True), sentence


@pytest.mark.parametrize("kind", ["application/json", "application/json-patch+json", ""])
def test_a_body_that_is_not_said_to_be_a_patch_is_a_415(one_image: OneRegion, kind: str) -> None:
    code, sentence = refusal(send(one_image, uuid(1), [], kind=kind))
    assert code == 415
    assert KIND in sentence
    assert OLD_KIND in sentence


def test_what_is_not_there_is_a_404(one_image: OneRegion) -> None:
    assert refusal(send(one_image, ABSENT, []))[0] == 404


def test_the_formats_are_open_until_there_are_bytes(api: OneRegion) -> None:
    image_id = register(api, disk_format=None, container_format=None)
    changes = [replaced("/disk_format", "qcow2"), added("/container_format", "bare")]
    image = send(api, image_id, changes).json
    assert (image["disk_format"], image["container_format"]) == ("qcow2", "bare")


def test_an_administrator_publishes_and_gives_away(api: OneRegion) -> None:
    put(api, an_image(1, visibility="private", project_id=MINE))
    changes = [replaced("/visibility", "public"), replaced("/owner", OTHER)]
    image = send(api, uuid(1), changes, caller="admin").json
    assert (image["visibility"], image["owner"]) == ("public", OTHER)


@pytest.mark.parametrize(
    ("operation", "index", "value", "wanted"),
    [
        ("add", "0", "x", ["x", "a", "b"]),
        ("add", "2", "x", ["a", "b", "x"]),
        ("add", "-", "x", ["a", "b", "x"]),
        ("add", "-", "a", ["a", "b"]),
        ("replace", "1", "x", ["a", "x"]),
        ("remove", "0", None, ["b"]),
        ("remove", "-", None, Conflict),
        ("replace", "2", "x", Conflict),
        ("add", "3", "x", Conflict),
    ],
)
def test_places_in_the_list_of_tags(
    operation: str, index: str, value: str | None, wanted: list[str] | type[HanokError]
) -> None:
    image = an_image(1, tags=["a", "b"])
    change = Change(operation, "tags", value, index)
    if isinstance(wanted, list):
        assert patch(image, [change], is_admin=False).tags == wanted
    else:
        with pytest.raises(wanted):
            patch(image, [change], is_admin=False)
    assert image.tags == ["a", "b"]
