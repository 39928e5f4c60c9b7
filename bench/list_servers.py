"""A list of 1,000 servers with details, beside an empty handler and the raw reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import cycle, islice

from bench import load
from bench.child import empty_server
from bench.figures import MS, Findings, at_most, interleave, quantile
from bench.raw_reads import RawReads
from bench.scene import FullRegion, Scene

PATH = "/kr1/compute/v2/{tenant}/servers/detail"


def _raw(region: FullRegion, raw: RawReads, count: int, limit: int) -> list[float]:
    seconds = []
    for tenant in islice(cycle(region.tenants), count):
        began = time.perf_counter()
        rows = raw.page(tenant.token, limit)
        seconds.append(time.perf_counter() - began)
        assert rows > 4 * min(limit, len(tenant.server_ids)), rows
    return seconds


def run(scene: Scene) -> Findings:
    """List the servers of one project after the other, so that no list follows itself."""
    sizes, region = scene.sizes, scene.full_region()
    limit = sizes.servers
    wanted = [
        load.request("GET", f"{PATH.format(tenant=one.project_id)}?limit={limit}", token=one.token)
        for one in region.tenants
    ]
    with load.Connection(region.child.address) as connection:
        answer = connection.exchange(wanted[0])
    assert len(answer.json()["servers"]) == limit, answer.body[:300]
    messages = list(islice(cycle(wanted), sizes.lists))

    def over_http(address: load.Address) -> list[float]:
        return load.one_client(address, messages).latencies

    raw = RawReads(region.state)
    try:
        with empty_server(scene.folder, "empty-list", PATH, answer.body) as empty:
            peers: dict[str, Callable[[], list[float]]] = {
                "hanok": partial(over_http, region.child.address),
                "empty": partial(over_http, empty.address),
                "raw": partial(_raw, region, raw, sizes.lists, limit + 1),
            }
            for measure in peers.values():
                measure()
            used = region.child.cpu_seconds()
            scene.say(f"{sizes.rounds} rounds of {sizes.lists} lists of {limit}")
            rounds = interleave(sizes.rounds, peers, lambda measure: measure())
            used = (region.child.cpu_seconds() - used) / (sizes.rounds * sizes.lists) * MS
    finally:
        raw.close()
    found = _findings(limit, rounds, used)
    found.notes.append(
        f"{len(answer.body):,} bytes; {len(wanted)} projects in turn, "
        f"{sizes.projects * sizes.servers:,} servers in the region"
    )
    return found


def _findings(limit: int, rounds: Mapping[str, list[list[float]]], used: float) -> Findings:
    middle = {n: [quantile(r, 0.5) * MS for r in lists] for n, lists in rounds.items()}
    found = Findings("list")
    found.add(f"list of {limit}, p50", "ms", middle["hanok"], at_most(100))
    found.add(f"list of {limit}, p90", "ms", [quantile(r, 0.9) * MS for r in rounds["hanok"]])
    found.add(f"CPU for a list of {limit}", "ms", [used])
    found.add("empty handler, p50", "ms", middle["empty"])
    found.add("raw reads, p50", "ms", middle["raw"])
    found.add_ratio("list p50 / empty handler", middle["hanok"], middle["empty"])
    found.add_ratio("list p50 / raw reads", middle["hanok"], middle["raw"], at_most(2.0))
    return found
