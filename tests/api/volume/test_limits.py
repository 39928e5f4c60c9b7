from __future__ import annotations

import pytest

from hanok.store import volumes
from tests.api.one_region import OneRegion
from tests.region_store import MINE, OTHER
from tests.store.volume_rows import a_volume


@pytest.fixture
def used(volume: OneRegion) -> OneRegion:
    with volume.store.write() as tx:
        for row in (a_volume(1), a_volume(2, size_gib=10), a_volume(3, project_id=OTHER)):
            volumes.add(tx, row)
    return volume


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_limits_tell_what_is_used(used: OneRegion, version: str) -> None:
    limits = used.get(f"/{version}/{{tenant}}/limits")["limits"]
    assert limits["rate"] == []
    absolute = limits["absolute"]
    assert absolute["maxTotalVolumes"] == -1
    assert (absolute["totalVolumesUsed"], absolute["totalGigabytesUsed"]) == (2, 11)


def test_another_projects_limits_are_an_administrators(used: OneRegion) -> None:
    path = f"/v3/{{tenant}}/limits?project_id={OTHER}"
    assert used.get(path, caller="admin")["limits"]["absolute"]["totalVolumesUsed"] == 1
    assert used.get(path)["limits"]["absolute"]["totalVolumesUsed"] == 2


def test_quota(used: OneRegion) -> None:
    path = f"/v3/{{tenant}}/os-quota-sets/{MINE}"
    plain = used.get(path)["quota_set"]
    assert plain == used.get(f"{path}/defaults")["quota_set"]
    assert (plain["id"], plain["volumes"], plain["gigabytes"]) == (MINE, -1, -1)
    beside = used.get(f"{path}?usage=True")["quota_set"]
    assert beside["gigabytes"] == {"limit": -1, "in_use": 11, "reserved": 0}
    assert beside["snapshots"] == {"limit": -1, "in_use": 0, "reserved": 0}
    assert set(beside) == set(plain)


@pytest.mark.parametrize("tail", ["", "?usage=True", "/defaults"])
def test_another_projects_quota_is_an_administrators(used: OneRegion, tail: str) -> None:
    path = f"/v3/{{tenant}}/os-quota-sets/{OTHER}{tail}"
    assert used.refused("GET", path)[0] == 403
    assert used.get(path, caller="admin")["quota_set"]["id"] == OTHER
