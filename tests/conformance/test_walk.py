"""The guide's own examples against a running region: each request, and each field of its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.conformance.documented import MISSING, breaches, reached
from tests.conformance.guide import NO_ANSWER_BODY, operations
from tests.conformance.likeness import differences
from tests.conformance.walk import SHOWN, Walk
from tests.e2e.region import region

CODES = {
    **dict.fromkeys(operations(), 200),
    **dict.fromkeys([key for key in operations() if key.startswith("action")], 202),
    "POST /servers": 202,
    "DELETE /servers/{serverId}": 204,
    "DELETE /servers/{serverId}/os-volume_attachments/{volumeId}": 202,
    "DELETE /os-keypairs/{keypairName}": 202,
}
"""The codes of success; the guide prints none, they are Nova's at 2.1."""


REAL = [pytest.mark.guest, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module", params=["simulated", pytest.param("libvirt", marks=REAL)])
def walk(request: pytest.FixtureRequest) -> Iterator[Walk]:
    with region(request.param) as running:
        one = Walk(running, real=request.param == "libvirt")
        one.go()
        yield one


def test_every_operation_of_the_guide_is_sent(walk: Walk) -> None:
    assert walk.sent.keys() == operations().keys()


@pytest.mark.parametrize("key", operations())
def test_each_documented_field_is_there_of_its_type_in_its_format(walk: Walk, key: str) -> None:
    for exchange in walk.sent[key]:
        assert exchange.answer.status_code == CODES[key]
        if any(note.startswith(NO_ANSWER_BODY) for note in exchange.operation.answer.notes):
            assert exchange.answer.content == b""
        else:
            assert breaches(exchange.operation, exchange.json) == []


@pytest.mark.parametrize("key", [key for key, one in operations().items() if one.fields()])
def test_each_answer_looks_like_the_guide_s_example(walk: Walk, key: str) -> None:
    example = operations()[key].answer.example
    assert list(differences(example, walk.sent[key][0].json)) == []


def test_a_generated_key_pair_shows_its_private_key_and_a_registered_one_does_not(
    walk: Walk,
) -> None:
    registered, generated = walk.sent["POST /os-keypairs"]
    assert "private_key" not in registered.json["keypair"]
    assert breaches(generated.operation, generated.json, at_times=True) == []


def test_the_image_s_location_is_a_header(walk: Walk) -> None:
    [made] = walk.sent["action createImage"]
    assert [field.name for field in made.operation.answer.table] == ["Location"]
    tail = r"/v2/images/[0-9a-f-]{36}"
    assert re.fullmatch(
        rf"https?://kr1-api-image-infrastructure\.nhncloudservice\.com{tail}",
        made.answer.headers["Location"],
    )


def test_a_server_shows_what_the_guide_shows_of_its_image(walk: Walk) -> None:
    shown = walk.sent["GET /servers/{serverId}"][0].json["server"]["metadata"]
    assert shown == {**SHOWN, "volume_size": "1000"}


@pytest.mark.parametrize("key", [key for key, one in operations().items() if one.request.example])
def test_each_request_has_all_that_the_guide_requires(walk: Walk, key: str) -> None:
    for exchange in walk.sent[key]:
        for parameter in exchange.operation.parameters("Body"):
            if parameter.required and parameter.path[0] in exchange.body:
                assert MISSING not in list(reached(exchange.body, parameter.path)), parameter.name
