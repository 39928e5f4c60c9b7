from __future__ import annotations

import msgspec

from hanok.api._errors import status_of
from hanok.api.network.failures import TYPES, PortInUse, shape
from hanok.model.errors import Conflict, HanokError, Invalid, NotFound
from hanok.model.network import InvalidInput
from hanok.model.port import NoAddressLeft


def shown(error: HanokError) -> tuple[int, str, str]:
    rendered = shape(error, "https://cloud.example/")
    body = msgspec.json.decode(rendered.body)["NeutronError"]
    return rendered.status, body["type"], body["message"]


def test_the_rules_failures_have_neutrons_types() -> None:
    refused = (400, "InvalidInput", "Invalid input for operation: No.")
    assert shown(InvalidInput("No.")) == refused
    status, kind, message = shown(NoAddressLeft("n"))
    assert (status, kind) == (409, "IpAddressGenerationFailure")
    assert message.startswith("No more IP addresses")
    assert shown(PortInUse("p", "n", "s"))[:2] == (409, "PortInUse")


def test_others_keep_the_common_ones() -> None:
    assert shown(Invalid("x"))[1] == "HTTPBadRequest"
    assert shown(NotFound("x"))[1] == "HTTPNotFound"
    assert shown(Conflict("x"))[1] == "Conflict"


def test_each_is_a_client_error() -> None:
    assert all(status_of(kind.__new__(kind)) in (400, 409) for kind in TYPES)
