"""The process itself: from start to ready, and what it holds when nothing happens."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sqlalchemy

from bench.child import empty_server, region
from bench.figures import Findings, at_most, interleave
from bench.member import Member
from bench.scene import Scene
from hanok.guest import tiny_image

_REQUESTS = 10
_SETTLE_SECONDS = 1.0
_JOIN_SECONDS = 60.0
_JOINED = re.compile(r"host \S+ joined|cannot join")


@dataclass(frozen=True, slots=True)
class Started:
    """One start: seconds until ready (first and again), MiB held idle (RSS, PSS)."""

    first: float
    again: float
    rss: float
    pss: float


def _hanok(driver: str) -> Started:
    """Start a region in a new directory, then again in the same one, and let it idle there."""
    # Not in the scene's folder, which QEMU's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="hanok-bench-"))
    state = folder / "state"
    try:
        with region(state, driver) as child:
            child.wait_for(_JOINED, _JOIN_SECONDS)
            first = child.ready_seconds
        with region(state, driver) as child:
            child.wait_for(_JOINED, _JOIN_SECONDS)
            member = Member(child.address, state)
            for _ in range(_REQUESTS):
                member.get(f"{member.compute}/servers/detail")
            time.sleep(_SETTLE_SECONDS)
            return Started(first, child.ready_seconds, *child.memory_mib())
    finally:
        shutil.rmtree(folder)


def _empty(folder: Path) -> Started:
    """Start the empty handler: the same server software, loaded and serving."""
    with empty_server(folder, "empty-idle", "/", b"{}") as child:
        return Started(child.ready_seconds, child.ready_seconds, *child.memory_mib())


def left_out(driver: str) -> str:
    """Say why a driver cannot be started here; nothing where it can."""
    if driver == "simulated":
        return ""
    if os.geteuid() != 0:
        return "not root"
    if importlib.util.find_spec("libvirt") is None:
        return "no python3-libvirt"
    if tiny_image.cached() is None:
        return "the tiny image is not cached (make images-tiny)"
    return ""


def run(scene: Scene) -> Findings:
    """Start each kind in turn, several times."""
    sizes, found = scene.sizes, Findings("process")
    peers: dict[str, Callable[[], Started]] = {"empty": partial(_empty, scene.folder)}
    for driver in sizes.drivers:
        missing = left_out(driver)
        if missing:
            found.notes.append(f"{driver} left out: {missing}")
        else:
            peers[driver] = partial(_hanok, driver)
    scene.say(f"{sizes.starts} rounds of starting {', '.join(peers)}")
    rounds = interleave(sizes.starts, peers, lambda measure: measure())
    empty = rounds.pop("empty")
    for name, starts in rounds.items():
        found.add(f"idle RSS, {name}", "MiB", [one.rss for one in starts], at_most(110))
        found.add(f"idle PSS, {name}", "MiB", [one.pss for one in starts])
        found.add(f"start to ready, new, {name}", "s", [one.first for one in starts], at_most(2.0))
        found.add(
            f"start to ready, again, {name}", "s", [one.again for one in starts], at_most(2.0)
        )
    found.add("idle RSS, empty handler", "MiB", [one.rss for one in empty])
    found.add("start to ready, empty handler", "s", [one.first for one in empty])
    simulated = rounds["simulated"]
    found.add_ratio("idle RSS / empty handler", [s.rss for s in simulated], [e.rss for e in empty])
    found.add_ratio("ready / empty handler", [s.again for s in simulated], [e.first for e in empty])
    if not Path(importlib.util.cache_from_source(sqlalchemy.__file__)).exists():
        found.notes.append("no bytecode is cached here: each start compiles every module anew")
    found.notes.append(f"idle: after {_REQUESTS} requests and {_SETTLE_SECONDS:.0f} s of quiet")
    return found
