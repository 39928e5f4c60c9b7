from __future__ import annotations

from urllib.parse import quote, urlsplit

import pytest

from hanok.api.volume.volume_list import pairs
from hanok.model.errors import Invalid
from hanok.store import servers, volumes
from tests.api.one_region import OneRegion
from tests.region_store import MINE, OTHER, a_server, uuid
from tests.store.volume_rows import a_volume, an_attachment

ROWS = (
    a_volume(1, name="b", metadata={"k": "it's", "x": "1"}),
    a_volume(2, name="a", status="in-use", bootable=True),
    a_volume(3, name="a", metadata={"k": "v"}, size_gib=9),
    a_volume(4, project_id=OTHER),
)
ALL = [3, 2, 1]


@pytest.fixture
def rows(volume: OneRegion) -> OneRegion:
    with volume.store.write() as tx:
        servers.add(tx, a_server(50))
        for row in ROWS:
            volumes.add(tx, row)
        volumes.attach(tx, an_attachment(2, 50))
    return volume


def listed(
    rows: OneRegion, query: str, *, caller: str = "member", path: str = "volumes"
) -> list[int]:
    found = rows.get(f"/v3/{{tenant}}/{path}?{query}", caller=caller)["volumes"]
    return [int(one["id"][-3:]) for one in found]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ALL),
        ("name=a", [3, 2]),
        ("name=a&name=b", ALL),
        ("name=c", []),
        ("name=a&status=available", [3]),
        ("status=AVAILABLE", []),
        ("bootable=true", [2]),
        ("bootable=0", [3, 1]),
        ("size=9", [3]),
        (f"id={uuid(1)}", [1]),
        (f"id={uuid(4)}", []),
        ("availability_zone=kr-pub-a", ALL),
        ("volume_type=General HDD", []),
        ("metadata={'k':'v'}", [3]),
        ('metadata={"k": "it\'s", "x": 1}', [1]),
        ("metadata={}", ALL),
        ("unknown=filter&deleted=False", ALL),
        (f"all_tenants=1&project_id={OTHER}", ALL),
        ("limit=2", [3, 2]),
        ("limit=0", []),
        (f"limit={'9' * 30}", ALL),
        (f"marker={uuid(3)}", [2, 1]),
        ("offset=1&limit=1", [2]),
        ("offset=9", []),
        ("sort=name:asc,created_at:desc", [3, 2, 1]),
        ("sort=size", [3, 2, 1]),
        ("sort=size:asc", [1, 2, 3]),
        ("sort_key=size&sort_dir=asc", [1, 2, 3]),
        ("sort_key=name&sort_key=size&sort_dir=asc&sort_dir=asc", [2, 3, 1]),
    ],
)
def test_a_list_is_what_is_asked_for(rows: OneRegion, query: str, shown: list[int]) -> None:
    assert listed(rows, quote(query, safe="=&")) == shown
    assert listed(rows, quote(query, safe="=&"), path="volumes/detail") == shown


def test_an_administrator_sees_all_where_he_asks(rows: OneRegion) -> None:
    assert listed(rows, "", caller="admin") == ALL
    assert listed(rows, "all_tenants=1", caller="admin") == [4, *ALL]
    assert listed(rows, f"all_tenants=True&project_id={OTHER}", caller="admin") == [4]
    assert rows.get(f"/v3/{{tenant}}/volumes/{uuid(4)}", caller="admin")["volume"]["id"] == uuid(4)
    assert rows.call("GET", f"/v3/{{tenant}}/volumes/{uuid(4)}").status_code == 404


@pytest.mark.parametrize("path", ["volumes", "volumes/detail"])
@pytest.mark.parametrize("version", ["v2", "v3"])
def test_links_lead_through_all_pages(rows: OneRegion, version: str, path: str) -> None:
    address = f"/{version}/{{tenant}}/{path}?limit=1&offset=0&sort=name:asc"
    seen = []
    while address:
        body = rows.get(address)
        seen += [int(one["id"][-3:]) for one in body["volumes"]]
        address = ""
        for link in body.get("volumes_links", []):
            assert link["rel"] == "next"
            assert link["href"].startswith(f"{rows.root}/{version}/{MINE}/{path}?")
            parts = urlsplit(link["href"])
            address = f"{parts.path.removeprefix(rows.prefix)}?{parts.query}"
    assert seen == [2, 3, 1]


def test_names_alone_and_details(rows: OneRegion) -> None:
    [short] = rows.get("/v2/{tenant}/volumes?bootable=true")["volumes"]
    assert set(short) == {"id", "name", "links"}
    [long] = rows.get("/v2/{tenant}/volumes/detail?bootable=true")["volumes"]
    assert long == rows.get(f"/v2/{{tenant}}/volumes/{uuid(2)}")["volume"]
    [attachment] = long["attachments"]
    assert (attachment["server_id"], attachment["device"]) == (uuid(50), "/dev/vdb")


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ("marker=nobody", 404, "Volume nobody could not be found."),
        (f"marker={uuid(4)}", 404, "could not be found"),
        ("limit=-1", 400, "limit"),
        ("limit=many", 400, "limit"),
        ("offset=-1", 400, "offset"),
        ("offset=9223372036854775808", 400, "offset"),
        ("size=9223372036854775808", 400, "size"),
        ("bootable=maybe", 400, "bootable"),
        ("sort=nope", 400, "Sort key supplied is not valid: nope."),
        ("sort=name:up", 400, "Unknown sort direction"),
        ("sort_key=nope", 400, "Sort key"),
        ("sort=name&sort_dir=asc", 400, "deprecated"),
        ("metadata=[1]", 400, "metadata"),
        ("metadata=" + "{" * 5000, 400, "metadata"),
        ("metadata={'a':'b''c':'d'}", 400, "metadata"),
        ("metadata={'a'}", 400, "metadata"),
        ("name=%00", 400, "NUL"),
    ],
)
def test_odd_queries_are_refused(rows: OneRegion, query: str, code: int, text: str) -> None:
    found = rows.refused("GET", f"/v3/{{tenant}}/volumes?{quote(query, safe='=&%')}")
    assert found[0] == code
    assert text in found[1]


def test_many_pairs_are_refused_not_too_much_for_the_database(rows: OneRegion) -> None:
    few = ",".join(f"'{n}':'v'" for n in range(128))
    assert listed(rows, f"metadata={{{quote(few)}}}") == []
    many = ",".join(f"'{n}':'v'" for n in range(129))
    code, text = rows.refused("GET", f"/v3/{{tenant}}/volumes?metadata={{{quote(many)}}}")
    assert (code, "more than 128" in text) == (400, True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{}", {}),
        (" { 'a' : 'b' , } ", {"a": "b"}),
        ("{'a': 'b', \"c\": \"d'\"}", {"a": "b", "c": "d'"}),
        ("{u'a': u'b'}", {"a": "b"}),
        (r"{'a': 'it\'s \\'}", {"a": "it's \\"}),
        ("{'a': 1, 'b': true}", {"a": "1", "b": "true"}),
        ("{'a': 'x,y:z}'}", {"a": "x,y:z}"}),
    ],
)
def test_metadata_is_read_as_python_or_json_writes_it(text: str, found: dict[str, str]) -> None:
    assert pairs(text) == found


@pytest.mark.parametrize("text", ["", "{", "}", "{,}", "{'a'}", "{'a':}", "{a: 'b'}", "{'a': [1]}"])
def test_other_text_is_no_metadata(text: str) -> None:
    with pytest.raises(Invalid, match="metadata"):
        pairs(text)
