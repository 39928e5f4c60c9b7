"""A server from POST to ACTIVE and to its end, on simulated hardware."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench import load
from bench.child import empty_server
from bench.figures import MS, Findings, at_most, interleave, quantile
from bench.load import Connection
from bench.member import Member
from bench.scene import Scene

PATH = "/kr1/compute/v2/{tenant}/servers"
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds, each the median of a round: answered, ACTIVE, and gone after DELETE."""

    answered: float
    active: float
    gone: float


def run(scene: Scene) -> Findings:
    """Create servers one by one; delete each before the next."""
    sizes, region = scene.sizes, scene.full_region()
    member = Member(region.child.address, region.state)
    message = member.request("POST", f"{member.compute}/servers", member.create_body("bench"))
    with Connection(region.child.address) as connection:
        first = connection.exchange(message)
        assert first.status < 300, first.body
        member.delete(first.json()["server"]["id"], _SECONDS)

        def create(_peer: str) -> Times:
            return _creates(member, connection, message, sizes.creates)

        with empty_server(scene.folder, "empty-post", PATH, first.body, first.status) as empty:

            def post(_peer: str) -> Times:
                messages = [message] * sizes.creates
                times = load.one_client(empty.address, messages, status=first.status).latencies
                return Times(quantile(times, 0.5) * MS, 0.0, 0.0)

            scene.say(f"{sizes.rounds} rounds of {sizes.creates} servers")
            peers = {"hanok": create, "empty": post}
            create(""), post("")
            rounds = interleave(sizes.rounds, peers, lambda measure: measure(""))
    answered = [one.answered for one in rounds["hanok"]]
    found = Findings("create")
    found.add("POST answered, p50", "ms", answered, at_most(30))
    found.add("POST to ACTIVE, p50", "ms", [t.active for t in rounds["hanok"]], at_most(200))
    found.add("DELETE to gone, p50", "ms", [one.gone for one in rounds["hanok"]])
    empty_times = [one.answered for one in rounds["empty"]]
    found.add("empty handler, POST answered, p50", "ms", empty_times)
    found.add_ratio("POST p50 / empty handler", answered, empty_times)
    found.notes.append("m2 flavor, 10 GB root volume, one port; polled every 5 ms")
    return found


def _creates(member: Member, connection: Connection, message: bytes, count: int) -> Times:
    answered, active, gone = [], [], []
    for _ in range(count):
        began = time.perf_counter()
        answer = connection.exchange(message)
        answered.append(time.perf_counter() - began)
        assert answer.status < 300, answer.body
        server_id = answer.json()["server"]["id"]
        member.await_active(server_id, _SECONDS)
        active.append(time.perf_counter() - began)
        began = time.perf_counter()
        member.delete(server_id, _SECONDS)
        gone.append(time.perf_counter() - began)
    return Times(*(quantile(times, 0.5) * MS for times in (answered, active, gone)))
