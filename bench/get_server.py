"""GET of one server: alone and under load, beside an empty handler and the raw reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice

from bench import load
from bench.child import Child, empty_server
from bench.figures import MS, Findings, at_least, at_most, interleave, quantile
from bench.load import Load
from bench.raw_reads import RawReads
from bench.scene import FullRegion, Scene

PATH = "/kr1/compute/v2/{tenant}/servers/{server}"
_VARIETY = 200
"""Different servers that are asked for, of each tenant."""
_WARM = 200
Latencies = Callable[[], list[float]]


def _requests(region: FullRegion) -> list[bytes]:
    """Return requests for many servers of several projects, one project after the other."""
    return [
        load.request(
            "GET",
            PATH.format(tenant=tenant.project_id, server=tenant.server_ids[n]),
            token=tenant.token,
        )
        for n in range(min(_VARIETY, len(region.tenants[0].server_ids)))
        for tenant in region.tenants
    ]


def _raw(region: FullRegion, raw: RawReads, count: int) -> list[float]:
    """Read the rows of `count` servers; return the seconds of each."""
    pairs = [(t.token, s) for s in range(_VARIETY) for t in region.tenants]
    seconds = []
    for token, number in islice(cycle(pairs), count):
        tenant = next(t for t in region.tenants if t.token == token)
        server_id = tenant.server_ids[number % len(tenant.server_ids)]
        began = time.perf_counter()
        rows = raw.get(token, server_id)
        seconds.append(time.perf_counter() - began)
        assert rows >= 6, rows
    return seconds


def run(scene: Scene) -> Findings:
    """Measure latencies at one client, then the rate of many."""
    sizes, region = scene.sizes, scene.full_region()
    wanted = _requests(region)
    with load.Connection(region.child.address) as connection:
        body = connection.exchange(wanted[0]).body
    found = Findings("get")
    raw = RawReads(region.state)
    try:
        with empty_server(scene.folder, "empty-get", PATH, body) as empty:
            peers = {"hanok": region.child, "empty": empty}
            for peer in peers.values():
                load.many_clients(peer.address, list(islice(cycle(wanted), _WARM)), sizes.clients)
            scene.say(f"{sizes.rounds} rounds of {sizes.gets} requests by one client")
            _one_client(found, scene, wanted, peers, partial(_raw, region, raw, sizes.gets))
            scene.say(f"{sizes.rounds} rounds of {sizes.many_gets} by {sizes.clients} clients")
            _many_clients(found, scene, wanted, peers)
    finally:
        raw.close()
    total = sizes.projects * sizes.servers
    found.notes.append(
        f"{len(body)} bytes; {len(wanted)} different servers of {len(region.tenants)} projects, "
        f"{total:,} servers in the region"
    )
    return found


def _one_client(
    found: Findings,
    scene: Scene,
    wanted: Sequence[bytes],
    peers: dict[str, Child],
    raw: Latencies,
) -> None:
    sizes = scene.sizes
    messages = list(islice(cycle(wanted), sizes.gets))

    def over_http(peer: Child) -> list[float]:
        return load.one_client(peer.address, messages).latencies

    measures: dict[str, Latencies] = {n: partial(over_http, peer) for n, peer in peers.items()}
    rounds = interleave(sizes.rounds, {**measures, "raw": raw}, lambda measure: measure())
    middle = {n: [quantile(r, 0.5) * MS for r in lists] for n, lists in rounds.items()}
    last = {n: [quantile(r, 0.99) * MS for r in lists] for n, lists in rounds.items()}
    found.add("GET, 1 client, p50", "ms", middle["hanok"], at_most(2.0))
    found.add("GET, 1 client, p99", "ms", last["hanok"])
    found.add("empty handler, 1 client, p50", "ms", middle["empty"])
    found.add("empty handler, 1 client, p99", "ms", last["empty"])
    found.add("raw reads, p50", "ms", middle["raw"])
    found.add_ratio("GET p50 / empty handler", middle["hanok"], middle["empty"])
    found.add_ratio("GET p50 / raw reads", middle["hanok"], middle["raw"])


def _many_clients(
    found: Findings, scene: Scene, wanted: Sequence[bytes], peers: dict[str, Child]
) -> None:
    sizes = scene.sizes
    messages = list(islice(cycle(wanted), sizes.many_gets))

    def measure(peer: Child) -> tuple[Load, float]:
        used = peer.cpu_seconds()
        done = load.many_clients(peer.address, messages, sizes.clients)
        return done, (peer.cpu_seconds() - used) / len(messages) * MS

    rounds = interleave(sizes.rounds, peers, measure)
    rates = {name: [one.rate for one, _ in loads] for name, loads in rounds.items()}
    last = {n: [quantile(one.latencies, 0.99) * MS for one, _ in r] for n, r in rounds.items()}
    cpu = {name: [used for _, used in loads] for name, loads in rounds.items()}
    mine = [100 * one.cpu_seconds / one.seconds for one, _ in rounds["hanok"]]
    clients = f"{sizes.clients} clients"
    found.add(f"GET, {clients}", "requests/s", rates["hanok"], at_least(1500))
    found.add(f"GET, {clients}, p99", "ms", last["hanok"])
    found.add(f"empty handler, {clients}", "requests/s", rates["empty"])
    found.add_ratio("empty handler / GET, rate", rates["empty"], rates["hanok"])
    found.add("CPU for one GET", "ms", cpu["hanok"])
    found.add("CPU for one, empty handler", "ms", cpu["empty"])
    found.add("the measuring client's CPU", "%", mine)
