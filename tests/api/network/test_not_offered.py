from __future__ import annotations

import pytest

from hanok.api.network.not_offered import KINDS, Kind
from tests.api.one_region import OneRegion

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_there_are_none_and_none_is_made(network: OneRegion, kind: Kind) -> None:
    root = f"/v2.0/{kind.plural}"
    assert network.get(root) == {kind.plural: []}
    assert network.get(f"{root}?name=x&limit=1") == {kind.plural: []}
    refused = network.call("POST", root, {kind.plural[:-1]: {}})
    assert refused.status_code == 501
    assert "not offered" in refused.json["NeutronError"]["message"]
    assert network.call("POST", root, {}, caller="reader").status_code == 403
    for method, path in (
        *((method, f"{root}/{NOBODY}") for method in ("GET", "PUT", "DELETE")),
        *(("PUT", f"{root}/{NOBODY}/{action}") for action in kind.actions),
    ):
        missing = network.call(method, path)
        assert missing.status_code == 404
        assert missing.json["NeutronError"]["type"] == f"{kind.kind}NotFound"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "routingtables"),
        ("PUT", f"routingtables/{NOBODY}"),
        ("DELETE", f"routingtables/{NOBODY}"),
        ("PUT", f"routingtables/{NOBODY}/attach_gateway"),
        ("PUT", f"vpcsubnets/{NOBODY}/attach_routingtable"),
        ("PUT", f"vpcsubnets/{NOBODY}/detach_routingtable"),
    ],
)
def test_routing_tables_are_only_read(network: OneRegion, method: str, path: str) -> None:
    refused = network.call(method, f"/v2.0/{path}", {})
    assert refused.status_code == 501
    assert "Routing tables" in refused.json["NeutronError"]["message"]
    assert network.get("/v2.0/routingtables")["routingtables"]
