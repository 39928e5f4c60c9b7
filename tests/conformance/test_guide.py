"""The reading of the guide is whole: every operation, every row, every line."""

from __future__ import annotations

import re

import pytest

from tests.conformance.guide import (
    NO_ANSWER_BODY,
    NO_REQUEST_BODY,
    TEXT,
    Field,
    GuideError,
    Operation,
    documented_statuses,
    operations,
    read,
    statuses,
)

ROWS = {
    "GET /flavors": (4, 4),
    "GET /flavors/detail": (4, 13),
    "GET /os-availability-zone": (2, 4),
    "GET /os-keypairs": (2, 5),
    "GET /os-keypairs/{keypairName}": (3, 10),
    "POST /os-keypairs": (5, 6),
    "DELETE /os-keypairs/{keypairName}": (3, 0),
    "GET /servers": (10, 4),
    "GET /servers/detail": (10, 33),
    "GET /servers/{serverId}": (3, 34),
    "POST /servers": (30, 2),
    "PUT /servers/{serverId}": (5, 34),
    "DELETE /servers/{serverId}": (3, 0),
    "GET /servers/{serverId}/os-volume_attachments": (5, 5),
    "GET /servers/{serverId}/os-volume_attachments/{volumeId}": (4, 5),
    "POST /servers/{serverId}/os-volume_attachments": (5, 5),
    "DELETE /servers/{serverId}/os-volume_attachments/{volumeId}": (4, 0),
    "action os-start": (4, 0),
    "action unshelve": (4, 0),
    "action os-stop": (4, 0),
    "action shelve": (4, 0),
    "action reboot": (5, 0),
    "action resize": (5, 0),
    "action createImage": (6, 1),
    "action addSecurityGroup": (5, 0),
    "action removeSecurityGroup": (5, 0),
}
"""Counted by hand: the rows of each request's and each answer's table."""
EXAMPLE = """List Things

GET /v2/{tenantId}/things
X-Auth-Token: {tokenId}

Request

This API does not require a request body.

Name Type Format Required Description
tokenId Header String O Token ID
a."Network Name".b Query Integer - How many
and what else

Response

Name Type Format Description
things body Array Things
Example

{
  "things": [1]
}


TOP"""


def rendered(row: Field) -> list[str]:
    """The lines that a row was read from; the guide writes Body in lower case at times."""
    required = {None: "", True: "O ", False: "- "}[row.required]
    return f"{row.name} {row.place} {row.format} {required}{row.text}".splitlines()


def own_rows(one: Operation) -> list[Field]:
    """The rows of an operation that stand in its own tables."""
    parts = [part for part in (one.request, one.answer) if part.same_as is None]
    return [row for part in parts for row in part.table]


def test_all_26_operations_are_read_with_every_row_of_their_tables() -> None:
    found = {
        key: (len(one.request.table), len(one.answer.table)) for key, one in operations().items()
    }
    assert found == ROWS
    assert len(ROWS) == 26


def test_each_line_that_looks_like_a_row_was_read_as_one() -> None:
    """Counted without the reader: a word for the place, between a name and a format."""
    looks = re.compile(r"\S.* (URL|Header|Query|Body|body) [A-Za-z]+ .+")
    lines = [line for line in TEXT.read_text().splitlines() if looks.fullmatch(line)]
    rows = [row for one in operations().values() for row in own_rows(one)]
    assert len(lines) == len(rows) == 265


def test_written_out_again_the_tables_are_the_guide_s_lines() -> None:
    lines = iter(
        [line.rstrip().replace(" body ", " Body ") for line in TEXT.read_text().splitlines()]
    )
    for one in operations().values():
        for row in own_rows(one):
            for line in rendered(row):
                assert line in lines, f"{one.key}: {line}"


def test_what_is_said_in_place_of_a_table_is_known() -> None:
    said = {
        note for one in operations().values() for note in (*one.request.notes, *one.answer.notes)
    }
    assert said == {
        NO_REQUEST_BODY,
        NO_ANSWER_BODY,
        "The request format is the same as List Instances.",
        "Same as Get Instance.",
        f"{NO_ANSWER_BODY} Check the Location response header for the created image.",
    }


def test_every_request_and_answer_with_a_body_has_its_example() -> None:
    for key, one in operations().items():
        assert (one.request.example is not None) == bool(one.parameters("Body")), key
        assert (one.answer.example is not None) == bool(one.fields()), key
        assert one.headers == {"X-Auth-Token": "{tokenId}"}, key
        named = set(re.findall(r"\{(\w+)\}", one.path))
        assert named == {parameter.name for parameter in one.parameters("URL")}, key


def test_the_titles_are_the_guide_s() -> None:
    titles = [one.title for one in operations().values()]
    assert titles[:4] == [
        "List Flavors",
        "List Flavors with Details",
        "List Availability Zones",
        "List Key Pairs",
    ]
    assert titles[-4:] == [
        "Change Instance Flavor",
        "Create Instance Image",
        "Add Security Group",
        "Delete Security Group",
    ]


def test_the_eighteen_statuses_are_read() -> None:
    assert len(documented_statuses()) == 18
    assert {"ACTIVE", "SHELVED_OFFLOADED", "VERIFY_RESIZE", "UNKNOWN"} <= documented_statuses()
    assert statuses(("Status Name Description", "ACTIVE It is", "Says more", "", "X Y")) == [
        "ACTIVE"
    ]


def test_an_operation_is_read_from_its_lines() -> None:
    [one] = read(EXAMPLE)
    assert (one.title, one.key, one.path) == ("List Things", "GET /things", "/v2/{tenantId}/things")
    assert one.parameters("Query") == [
        Field('a."Network Name".b', "Query", "Integer", False, "How many\nand what else")
    ]
    assert one.parameters("Query")[0].path == ("a", '"Network Name"', "b")
    assert one.fields() == [Field("things", "Body", "Array", None, "Things")]
    assert one.answer.example == {"things": [1]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Request\n", "Requests\n"),
        ("X-Auth-Token: {tokenId}", "X-Auth-Token"),
        ("tokenId Header String O Token ID", "something else"),
        ("Name Type Format Description", "Nothing known"),
        ("This API does not require a request body.", "Nothing known"),
        ("List Things\n", "A sentence.\n"),
        ("things body Array Things\n", ""),
        ("Response\n", ""),
    ],
)
def test_a_line_that_does_not_fit_is_refused(old: str, new: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(GuideError):
        read(EXAMPLE.replace(old, new))


def test_two_operations_of_one_name_are_refused() -> None:
    with pytest.raises(GuideError, match="two operations"):
        read(EXAMPLE.removesuffix("TOP") + EXAMPLE)
