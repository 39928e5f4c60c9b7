from __future__ import annotations

from dataclasses import replace

import pytest

from hanok.api._addresses import Addresses
from hanok.api.compute.links import links_of
from tests.operations.world import PROJECT, World

NHN_HOST = "kr1-api-instance-infrastructure.nhncloudservice.com"


@pytest.mark.parametrize("root", ["/v2", "/v2.1"])
def test_links_name_the_region_the_dialect_and_the_project(world: World, root: str) -> None:
    links = links_of(world.call(), root).both("servers", "s")
    assert [link["href"] for link in links] == [
        f"http://test/kr1/compute{root}/{PROJECT}/servers/s",
        f"http://test/kr1/compute/{PROJECT}/servers/s",
    ]


def test_who_came_by_nhn_s_host_name_gets_links_with_it(world: World) -> None:
    _, base = Addresses("https://cloud.example", ("KR1",)).resolve(NHN_HOST)
    call = replace(world.call(), base=base)
    [own, _] = links_of(call, "/v2").both("servers", "s")
    assert own["href"] == f"https://{NHN_HOST}/v2/{PROJECT}/servers/s"
