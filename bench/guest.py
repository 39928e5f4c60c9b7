"""A real guest from its request to an SSH login, beside the same guest on QEMU alone.

A pair: a server is created through the API, and timed from POST to login. Then its domain is
stopped, and QEMU is started by hand with the domain's own command on a new overlay of the same
image, a copy of the same config drive and the same tap, and timed from exec to login: nothing of
what Hanok prepares is counted there.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import bare_qemu
from bench.child import cpu_seconds
from bench.figures import Findings, at_most
from bench.member import Member
from bench.real_region import VIRSH, Place, real_region
from bench.scene import Scene

_ACTIVE_SECONDS = 60.0
_GONE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds: POST to ACTIVE, POST to login, exec of QEMU to login; QEMU's CPU until then."""

    active: float
    hanok: float
    bare: float
    hanok_cpu: float
    bare_cpu: float


def run(scene: Scene) -> Findings:
    """Boot pairs of guests, one after the other."""
    pairs = []
    with real_region(scene, "guest") as (member, place):
        for number in range(scene.sizes.pairs):
            scene.say(f"pair {number + 1} of {scene.sizes.pairs}")
            pairs.append(_pair(member, place))
    return _findings(pairs)


def _findings(pairs: list[Pair]) -> Findings:
    found = Findings("guest")
    hanok, bare = [one.hanok for one in pairs], [one.bare for one in pairs]
    found.add("POST to ACTIVE", "s", [one.active for one in pairs])
    found.add("POST to SSH login", "s", hanok)
    found.add("bare QEMU to SSH login", "s", bare)
    added = [mine - theirs for mine, theirs in zip(hanok, bare, strict=True)]
    found.add("what Hanok adds", "s", added, at_most(1.0))
    found.add_ratio("POST to SSH / bare QEMU", hanok, bare)
    cpu = [one.hanok_cpu for one in pairs]
    found.add("QEMU's CPU until login", "s", cpu)
    found.add_ratio("QEMU's CPU / bare", cpu, [one.bare_cpu for one in pairs])
    return found


def _pair(member: Member, place: Place) -> Pair:
    body = member.create_body("bench", "bench")
    began = time.perf_counter()
    answer = member.call("POST", f"{member.compute}/servers", body)
    server_id = answer.json()["server"]["id"]
    try:
        server = member.await_active(server_id, _ACTIVE_SECONDS)
        active = time.perf_counter() - began
        [port] = member.get(f"{member.network}/ports?device_id={server_id}")["ports"]
        place.log_in(port["network_id"], port["fixed_ips"][0]["ip_address"])
        hanok = time.perf_counter() - began
        pid, command = bare_qemu.domain_process(place.names.domain(server_id))
        used = cpu_seconds(pid)
        bare, bare_used = _bare(place, server, port, command)
    finally:
        member.delete(server_id, _GONE_SECONDS)
    return Pair(active, hanok, bare, used, bare_used)


def _bare(
    place: Place, server: dict[str, Any], port: dict[str, Any], command: list[str]
) -> tuple[float, float]:
    """Stop the server's domain and boot the same guest without it; return seconds to login, CPU."""
    with tempfile.TemporaryDirectory(dir=place.own) as name:
        own = Path(name)
        domain = place.names.domain(server["id"])
        subprocess.run([*VIRSH, "destroy", domain], timeout=60, check=True)
        tap = place.names.tap(port["id"])
        bare = bare_qemu.bare_command(command, place.copy_files(server, own), tap, own)
        began = time.perf_counter()
        with bare_qemu.running(bare, own / "qemu.out") as pid:
            place.log_in(port["network_id"], port["fixed_ips"][0]["ip_address"])
            return time.perf_counter() - began, cpu_seconds(pid)
