from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hanok.api._call import Service
from hanok.api._errors import compute_shape
from hanok.api.compute.limits import ENDPOINTS
from hanok.store import servers
from tests.api.one_region import OneRegion, one_region
from tests.region_store import MINE, NOW, OTHER, a_server

SETS = "/v2/{tenant}/os-quota-sets"
DEFAULTS = {
    "instances": 10,
    "cores": 20,
    "ram": 51_200,
    "metadata_items": 128,
    "key_pairs": 100,
    "server_groups": 10,
    "server_group_members": 10,
    "injected_files": 5,
    "injected_file_content_bytes": 10_240,
    "injected_file_path_bytes": 255,
    "fixed_ips": -1,
    "floating_ips": -1,
    "security_groups": -1,
    "security_group_rules": -1,
}


@pytest.fixture
def api(database_url: str) -> Iterator[OneRegion]:
    with one_region(database_url, Service("compute", ENDPOINTS, compute_shape)) as region:
        with region.store.write() as tx:
            servers.add(tx, a_server(1))
            servers.add(tx, a_server(2, vcpus=3))
            servers.add(tx, a_server(3, terminated_at=NOW))
        yield region


def test_limits_and_what_is_used(api: OneRegion) -> None:
    limits = api.get("/v2/{tenant}/limits?reserved=False")["limits"]
    assert limits["rate"] == []
    absolute = limits["absolute"]
    assert absolute["maxTotalInstances"] == 10
    assert absolute["maxTotalCores"] == 20
    assert absolute["maxTotalRAMSize"] == 51_200
    assert absolute["maxTotalKeypairs"] == 100
    assert absolute["maxServerMeta"] == 128
    assert absolute["totalInstancesUsed"] == 2
    assert absolute["totalCoresUsed"] == 5
    assert absolute["totalRAMUsed"] == 8192
    assert len(absolute) == 19
    assert all(isinstance(value, int) for value in absolute.values())


def test_another_projects_limits_are_the_administrators_to_see(api: OneRegion) -> None:
    path = f"/v2/{{tenant}}/limits?tenant_id={MINE}"
    assert api.refused("GET", path, caller="other")[0] == 403
    seen = api.get(f"/v2/{{tenant}}/limits?tenant_id={OTHER}", caller="admin")
    assert seen["limits"]["absolute"]["totalInstancesUsed"] == 0
    for part in ("", "/defaults", "/detail"):
        assert api.refused("GET", f"{SETS}/{MINE}{part}", caller="other")[0] == 403
        assert api.call("GET", f"{SETS}/{OTHER}{part}", caller="admin").status_code == 200


def test_a_quota_set_has_novas_fields(api: OneRegion) -> None:
    wanted = {"quota_set": {"id": MINE, **DEFAULTS}}
    assert api.get(f"{SETS}/{MINE}") == wanted
    assert api.get(f"{SETS}/{MINE}/defaults") == wanted
    detail = api.get(f"{SETS}/{MINE}/detail")["quota_set"]
    assert detail.pop("id") == MINE
    assert detail.keys() == DEFAULTS.keys()
    assert detail["cores"] == {"limit": 20, "in_use": 5, "reserved": 0}
    assert detail["key_pairs"] == {"limit": 100, "in_use": 0, "reserved": 0}


def put(api: OneRegion, body: Any, caller: str = "admin", project: str = MINE) -> Any:
    return api.call("PUT", f"{SETS}/{project}", {"quota_set": body}, caller=caller)


def test_an_administrator_changes_and_resets_a_quota(api: OneRegion) -> None:
    changed = put(api, {"cores": 40, "ram": "-1", "unknown": 1, "tenant_id": "x"})
    assert changed.status_code == 200
    assert changed.json == {"quota_set": {**DEFAULTS, "cores": 40, "ram": -1}}
    assert api.get(f"{SETS}/{MINE}")["quota_set"]["ram"] == -1
    assert api.get(f"{SETS}/{MINE}/defaults")["quota_set"] == {"id": MINE, **DEFAULTS}
    assert put(api, {"instances": 0}, project=OTHER).status_code == 200
    assert api.get(f"{SETS}/{MINE}")["quota_set"]["instances"] == 10
    assert api.call("DELETE", f"{SETS}/{MINE}", caller="admin").status_code == 202
    assert api.get(f"{SETS}/{MINE}") == {"quota_set": {"id": MINE, **DEFAULTS}}


@pytest.mark.parametrize("project", ["nobody", "9" * 300])
def test_a_quota_is_of_a_project(api: OneRegion, project: str) -> None:
    assert put(api, {"cores": 1}, project=project).status_code == 400
    refused = api.call("DELETE", f"{SETS}/{project}", caller="admin")
    assert refused.json["badRequest"]["message"] == f"Project ID {project} is not a valid project."


def test_no_tenant_changes_a_quota(api: OneRegion) -> None:
    assert put(api, {"cores": 1}, caller="member").status_code == 403
    assert api.call("DELETE", f"{SETS}/{MINE}").status_code == 403
    assert api.get(f"{SETS}/{MINE}")["quota_set"]["cores"] == 20


def test_less_than_is_used_needs_force(api: OneRegion) -> None:
    refused = put(api, {"cores": 4})
    assert refused.status_code == 400
    assert refused.json["badRequest"]["message"] == (
        "Quota limit 4 for cores must be greater than or equal to already used and reserved 5."
    )
    assert put(api, {"cores": 5}).status_code == 200
    for force in (True, "True"):
        assert put(api, {"cores": 4, "force": force}).json["quota_set"]["cores"] == 4


@pytest.mark.parametrize("value", [-2, 2**31, 2**70, "x", "", 1.5, True, None, [], "1" * 50])
def test_what_is_no_limit_is_refused(api: OneRegion, value: object) -> None:
    refused = put(api, {"cores": value})
    assert refused.status_code == 400
    assert "cores" in refused.json["badRequest"]["message"]


@pytest.mark.parametrize("project", ["x", "a" * 33, "g" * 32, "%27"])
def test_what_is_no_project_has_no_quota(api: OneRegion, project: str) -> None:
    assert put(api, {"cores": 1}, project=project).status_code == 400
