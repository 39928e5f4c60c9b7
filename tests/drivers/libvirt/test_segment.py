"""A network's bridge and namespace by themselves; plugging through them is in `test_network`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hanok.drivers.libvirt.addressing import Segment, parse_network
from hanok.drivers.libvirt.links import find_link, look_inside
from hanok.drivers.libvirt.names import Names
from hanok.drivers.libvirt.segment import INSIDE, NAMESPACES, Segments
from tests.drivers.scene import network_of, new_id

pytestmark = pytest.mark.guest


@pytest.fixture
def names() -> Names:
    return Names(f"test-{new_id()}")


@pytest.fixture
def segments(names: Names) -> Iterator[Segments]:
    yield Segments(names)
    assert names.filter_table() not in nft()


@pytest.fixture
def segment(segments: Segments) -> Iterator[Segment]:
    parsed = parse_network(network_of(subnets=2))
    yield parsed
    segments.remove(parsed.network_id)


def nft() -> str:
    return subprocess.run(
        ["nft", "list", "ruleset"], capture_output=True, text=True, timeout=10, check=True
    ).stdout


def inside(names: Names, segment: Segment) -> dict[str, Any]:
    found = look_inside(names.namespace(segment.network_id), INSIDE)
    assert found is not None
    return found


def addresses(names: Names, segment: Segment) -> set[str]:
    found = inside(names, segment)["addr_info"]
    return {f"{a['local']}/{a['prefixlen']}" for a in found}


def test_it_is_made_once(segments: Segments, segment: Segment, names: Names) -> None:
    link = segments.ensure(segment)
    assert segments.ensure(segment) == link == inside(names, segment)["ifindex"]
    assert addresses(names, segment) == {"10.77.0.1/24", "10.77.1.1/24"}
    assert nft().count(f"chain {names.bridge(segment.network_id)} ") == 1


def test_it_is_made_as_told(segments: Segments, segment: Segment, names: Names) -> None:
    segments.ensure(segment)
    kept = segment.subnets[1]
    segments.ensure(replace(segment, mtu=1300, subnets=(kept,)))
    assert addresses(names, segment) == {f"{kept.gateway}/24"}
    assert inside(names, segment)["mtu"] == 1300
    for name in (names.bridge(segment.network_id), names.veth(segment.network_id)):
        found = find_link(name)
        assert found is not None
        assert found.mtu == 1300
        assert found.is_up


def test_the_bridge_forwards_at_once(segments: Segments, segment: Segment, names: Names) -> None:
    segments.ensure(segment)
    bridge = Path("/sys/class/net", names.bridge(segment.network_id), "bridge")
    settings = {
        name: (bridge / name).read_text().strip()
        for name in ("stp_state", "forward_delay", "multicast_snooping")
    }
    assert settings == {"stp_state": "0", "forward_delay": "0", "multicast_snooping": "0"}


def test_all_of_it_goes(segments: Segments, names: Names) -> None:
    parsed = parse_network(network_of())
    segments.ensure(parsed)
    segments.remove(parsed.network_id)
    segments.remove(parsed.network_id)
    assert find_link(names.bridge(parsed.network_id)) is None
    assert find_link(names.veth(parsed.network_id)) is None
    assert not (NAMESPACES / names.namespace(parsed.network_id)).exists()


def test_the_filter_stays_as_long_as_a_bridge_does(
    segments: Segments, segment: Segment, names: Names
) -> None:
    other = parse_network(network_of())
    segments.ensure(segment)
    segments.ensure(other)
    segments.remove(other.network_id)
    assert names.bridge(segment.network_id) in nft()
    assert names.bridge(other.network_id) not in nft()


def test_the_host_routes_nothing_new(segments: Segments, segment: Segment) -> None:
    def routes() -> Any:
        done = subprocess.run(
            ["ip", "-json", "-details", "route", "show", "table", "all"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        # Every link that is up has its multicast in the local table; it leads to itself.
        return [route for route in json.loads(done.stdout) if route["type"] != "multicast"]

    before = routes()
    segments.ensure(segment)
    assert routes() == before
