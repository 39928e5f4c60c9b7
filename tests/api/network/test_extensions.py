from __future__ import annotations

from tests.api.one_region import OneRegion


def test_clients_find_what_is_offered(network: OneRegion) -> None:
    listed = network.get("/v2.0/extensions")["extensions"]
    aliases = [one["alias"] for one in listed]
    assert len(set(aliases)) == len(aliases)
    assert {"quotas", "quota_details", "security-group", "pagination", "sorting"} <= set(aliases)
    for one in listed:
        assert network.get(f"/v2.0/extensions/{one['alias']}") == {"extension": one}


def test_what_is_not_offered_is_a_404(network: OneRegion) -> None:
    assert {"router", "dns-integration"}.isdisjoint(
        one["alias"] for one in network.get("/v2.0/extensions")["extensions"]
    )
    refused = network.call("GET", "/v2.0/extensions/router")
    assert refused.status_code == 404
    assert refused.json["NeutronError"]["type"] == "ExtensionNotFound"
