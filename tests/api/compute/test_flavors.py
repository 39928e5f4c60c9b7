from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hanok.api._call import Service
from hanok.api._errors import compute_shape
from hanok.api.compute.flavors import ENDPOINTS
from hanok.store import flavors
from tests.api.one_region import CALLERS, OneRegion, one_region
from tests.region_store import MINE, OTHER, a_flavor, uuid

FLAVORS = "/v2/{tenant}/flavors"
SECRET = a_flavor(4, is_public=False)


@pytest.fixture
def api(database_url: str) -> Iterator[OneRegion]:
    with one_region(database_url, Service("compute", ENDPOINTS, compute_shape)) as region:
        with region.store.write() as tx:
            for flavor in (
                a_flavor(1),
                a_flavor(2, disk_gib=20, swap_mib=512),
                a_flavor(3, disk_gib=100),
                SECRET,
                a_flavor(5, disabled=True),
            ):
                assert flavors.add(tx, flavor)
            flavors.allow(tx, SECRET.id, OTHER)
        yield region


def numbers(body: dict[str, Any]) -> list[int]:
    return [int(flavor["id"][-3:]) for flavor in body["flavors"]]


def test_the_list_is_the_guides(api: OneRegion) -> None:
    body = api.get(FLAVORS)
    assert body.keys() == {"flavors"}
    assert body["flavors"][0] == {
        "id": uuid(1),
        "links": [
            {"rel": "self", "href": f"{api.root}/v2/{MINE}/flavors/{uuid(1)}"},
            {"rel": "bookmark", "href": f"{api.root}/{MINE}/flavors/{uuid(1)}"},
        ],
        "name": "m2.c1",
    }


def test_the_detailed_list_is_the_guides(api: OneRegion) -> None:
    first, second, _ = api.get(f"{FLAVORS}/detail")["flavors"]
    assert {name: value for name, value in first.items() if name != "links"} == {
        "id": uuid(1),
        "name": "m2.c1",
        "ram": 1024,
        "vcpus": 1,
        "disk": 0,
        "swap": "",
        "rxtx_factor": 1.0,
        "OS-FLV-DISABLED:disabled": False,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "os-flavor-access:is_public": True,
        "extra_specs": {"flavor_type": "standard"},
    }
    assert [link["rel"] for link in first["links"]] == ["self", "bookmark"]
    assert (second["swap"], second["disk"]) == (512, 20)
    text = api.call("GET", f"{FLAVORS}/detail").text
    assert '"rxtx_factor":1.0' in text.replace(" ", "")


@pytest.mark.parametrize("path", [FLAVORS, f"{FLAVORS}/detail"])
@pytest.mark.parametrize(
    ("query", "caller", "wanted"),
    [
        ("", "member", [1, 2, 3]),
        ("", "other", [1, 2, 3, 4]),
        ("", "admin", [1, 2, 3, 5]),
        ("minDisk=20", "member", [2, 3]),
        ("minDisk=21", "member", [3]),
        ("minRam=2048&minDisk=0", "member", [2, 3]),
        ("minRam=4096", "member", []),
        (f"minRam={2**63}", "member", []),
        (f"minDisk={2**31}", "member", []),
        ("is_public=None", "member", [1, 2, 3]),
        ("is_public=false", "member", [1, 2, 3]),
        ("is_public=None", "admin", [1, 2, 3, 4, 5]),
        ("is_public=True", "admin", [1, 2, 3, 5]),
        ("is_public=False", "admin", [4]),
        ("sort_key=memory_mb&sort_dir=desc", "member", [3, 2, 1]),
        ("sort_key=name", "member", [1, 2, 3]),
        ("limit=1000000", "member", [1, 2, 3]),
        ("unknown=x", "member", [1, 2, 3]),
    ],
)
def test_filters(api: OneRegion, path: str, query: str, caller: str, wanted: list[int]) -> None:
    assert numbers(api.get(f"{path}?{query}", caller=caller)) == wanted


@pytest.mark.parametrize(
    ("query", "caller", "message"),
    [
        ("minDisk=x", "member", "Invalid minDisk filter [x]"),
        ("minRam=-1", "member", "Invalid minRam filter [-1]"),
        ("marker=nonsense", "member", "marker [nonsense] not found"),
        (f"marker={SECRET.id}", "member", f"marker [{SECRET.id}] not found"),
        ("sort_key=colour", "member", "Sort key supplied was not valid: colour."),
        ("sort_dir=up", "member", "Unknown sort direction"),
        ("limit=-1", "member", "limit"),
        ("is_public=perhaps", "admin", "Invalid is_public filter [perhaps]"),
        ("minRam=%00", "member", "NUL"),
    ],
)
def test_a_wrong_filter_is_named(api: OneRegion, query: str, caller: str, message: str) -> None:
    status, said = api.refused("GET", f"{FLAVORS}/detail?{query}", caller=caller)
    assert status == 400
    assert message in said


@pytest.mark.parametrize("path", ["flavors", "flavors/detail"])
def test_pages_are_linked(api: OneRegion, path: str) -> None:
    body = api.get(f"/v2/{{tenant}}/{path}?limit=2&minRam=1")
    assert numbers(body) == [1, 2]
    [link] = body["flavors_links"]
    assert link["rel"] == "next"
    start = f"{api.root}/v2/{MINE}/{path}?"
    assert link["href"] == f"{start}limit=2&minRam=1&marker={uuid(2)}"
    last = api.get(link["href"].removeprefix(api.root))
    assert numbers(last) == [3]
    assert "flavors_links" not in last
    assert api.get(f"/v2/{{tenant}}/{path}?limit=0") == {"flavors": []}


def test_one_flavor(api: OneRegion) -> None:
    body = api.get(f"{FLAVORS}/{uuid(2)}")
    assert body == {"flavor": api.get(f"{FLAVORS}/detail")["flavors"][1]}
    assert api.get(f"{FLAVORS}/{uuid(2)}/os-extra_specs") == {
        "extra_specs": {"flavor_type": "standard"}
    }


@pytest.mark.parametrize("path", ["", "/os-extra_specs"])
def test_another_projects_flavor_is_not_there(api: OneRegion, path: str) -> None:
    for flavor in (SECRET.id, uuid(9), "m2.c1", "%27"):
        status, said = api.refused("GET", f"{FLAVORS}/{flavor}{path}")
        assert status == 404
        assert said == f"Flavor {flavor.replace('%27', chr(39))} could not be found."
    assert api.call("GET", f"{FLAVORS}/{SECRET.id}{path}", caller="other").status_code == 200
    assert api.call("GET", f"{FLAVORS}/{SECRET.id}{path}", caller="admin").status_code == 200


def test_an_operator_adds_and_removes_flavors(api: OneRegion) -> None:
    asked: dict[str, Any] = {"name": "m2.c9", "vcpus": 9, "ram": 2048, "disk": 0, "id": None}
    result = api.call("POST", FLAVORS, {"flavor": asked}, caller="admin")
    assert result.status_code == 200
    made = result.json["flavor"]
    assert (made["name"], made["vcpus"], made["ram"], made["extra_specs"]) == ("m2.c9", 9, 2048, {})
    assert api.get(f"{FLAVORS}/{made['id']}") == {"flavor": made}
    again = api.refused("POST", FLAVORS, {"flavor": asked}, caller="admin")
    assert again == (409, "Flavor with name m2.c9 already exists.")
    asked |= {"name": "other", "id": made["id"]}
    again = api.refused("POST", FLAVORS, {"flavor": asked}, caller="admin")
    assert again == (409, f"Flavor with ID {made['id']} already exists.")
    path = f"{FLAVORS}/{made['id']}"
    assert api.refused("DELETE", path)[0] == 403
    assert api.call("DELETE", path, caller="admin").status_code == 202
    assert api.refused("DELETE", path, caller="admin")[0] == 404
    assert api.refused("POST", FLAVORS, {"flavor": asked})[0] == 403


def test_a_new_private_flavor_is_its_makers_projects(api: OneRegion) -> None:
    asked = {"name": "p", "vcpus": 1, "ram": 1, "disk": 0, "os-flavor-access:is_public": False}
    made = api.call("POST", FLAVORS, {"flavor": {**asked, "id": "42"}}, caller="admin")
    assert made.json["flavor"]["id"] == "42"
    assert CALLERS["admin"].project_id == MINE
    assert api.call("GET", f"{FLAVORS}/42").status_code == 200
    assert api.call("GET", f"{FLAVORS}/42", caller="other").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"vcpus": 0},
        {"vcpus": 2**31},
        {"ram": "x"},
        {"disk": -1},
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 256},
        {"id": "x" * 37},
        {"id": "a/b"},
        {"rxtx_factor": 0},
    ],
)
def test_a_wrong_flavor_is_refused(api: OneRegion, change: dict[str, Any]) -> None:
    asked = {"name": "n", "vcpus": 1, "ram": 1, "disk": 0, **change}
    assert api.refused("POST", FLAVORS, {"flavor": asked}, caller="admin")[0] == 400


def test_who_may_read(api: OneRegion) -> None:
    assert api.call("GET", FLAVORS, caller="reader").status_code == 200
    assert api.call("GET", FLAVORS, caller="nobody").status_code == 403
    assert api.call("GET", f"/v2/{MINE}/flavors", caller="unknown").status_code == 401
    assert api.call("GET", f"/v2/{OTHER}/flavors").status_code == 400
