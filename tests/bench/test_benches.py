"""Each bench runs, with tiny sizes, and finds what it is for. What it takes is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.child import ROOT
from tests.boots import count_guest_boot


def run(folder: Path, *names: str, seconds: float = 100) -> dict[str, Any]:
    """Run benches in a process of their own; return what each found."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--small", "--results", str(folder), *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [path] = folder.glob("*.json")
    written = json.loads(path.read_text())
    assert written["machine"]["cpus"] > 0
    found = {one["bench"]: {f["name"]: f for f in one["figures"]} for one in written["benches"]}
    assert list(found) == list(names)
    for figures in found.values():
        # CPU time is counted in hundredths of a second, and may be none.
        assert all(f["value"] > 0 for f in figures.values() if f["unit"] == "x"), figures
        # Every figure of ours stands beside a peer's.
        assert any(figure["unit"] == "x" for figure in figures.values()), figures
    return found


@pytest.mark.slow
def test_the_benches_of_a_full_region_run(tmp_path: Path) -> None:
    found = run(tmp_path, "get", "list", "create")
    assert {"GET p50 / empty handler", "GET p50 / raw reads"} <= set(found["get"])
    assert found["get"]["GET, 4 clients"]["target"] == {"sense": ">=", "value": 1500}
    assert len(found["list"]["list p50 / raw reads"]["rounds"]) == 2
    assert (
        found["create"]["POST to ACTIVE, p50"]["value"]
        > (found["create"]["POST answered, p50"]["value"])
    )


def test_the_bench_of_steps_runs_on_both_databases(tmp_path: Path) -> None:
    found = run(tmp_path, "steps")["steps"]
    assert {"sqlite / bare commits", "postgresql / bare commits"} <= set(found)


@pytest.mark.slow
def test_the_bench_of_the_process_runs(tmp_path: Path) -> None:
    found = run(tmp_path, "process")["process"]
    assert found["idle PSS, simulated"]["value"] <= found["idle RSS, simulated"]["value"]
    assert found["start to ready, new, simulated"]["value"] > 0


@pytest.mark.guest
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_bench_of_guests_runs(tmp_path: Path) -> None:
    found = run(tmp_path, "guest", seconds=290)["guest"]
    count_guest_boot("bench: a server")
    count_guest_boot("bench: the same guest on bare QEMU")
    assert found["bare QEMU to SSH login"]["value"] > found["POST to ACTIVE"]["value"]


@pytest.mark.guest
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_bench_of_actions_runs(tmp_path: Path) -> None:
    for boot in ("created", "created, then bare", "bare", "started", "rebooted"):
        count_guest_boot(f"bench: a server {boot}")
    for boot in ("started", "rebooted"):
        count_guest_boot(f"bench: a bare domain {boot}")
    found = run(tmp_path, "actions", seconds=290)["actions"]
    for action in ("stop", "start", "reboot", "attach"):
        assert found[action]["value"] > 0
        assert found[f"{action}, bare libvirt"]["value"] > 0
    # A reboot waits for the guest's own end, as a stop does.
    assert found["reboot"]["value"] > found["start"]["value"]


def test_an_unknown_bench_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="invalid choice: 'gest'"):
        run(tmp_path, "gest")
