from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hanok.drivers.base import DiskSpec
from hanok.drivers.simulated.config import FailureRule, FaultPlan
from hanok.drivers.simulated.faults import Faults, Misbehaving, with_faults
from hanok.model.errors import HostError


class Done(Misbehaving):
    """Counts what was done."""

    part = "storage"
    made = 0

    @with_faults
    def create_disk(self, spec: DiskSpec) -> int:
        self.made += 1
        return self.made

    @with_faults
    def delete_disk(self, disk_id: str) -> None:
        self.made -= 1


def driver(tmp_path: Path, *failures: FailureRule, **plan: Any) -> Done:
    return Done(Faults(tmp_path / "faults.json", FaultPlan(failures=failures, **plan)))


def outcomes(done: Done, count: int) -> str:
    """What became of so many calls: `.` done, `x` failed."""
    told = ""
    for number in range(count):
        try:
            done.create_disk(DiskSpec(f"disk-{number}", 1))
            told += "."
        except HostError:
            told += "x"
    return told


def test_nothing_happens_by_default(tmp_path: Path) -> None:
    assert outcomes(driver(tmp_path), 3) == "..."


def test_the_nth_call_fails(tmp_path: Path) -> None:
    done = driver(tmp_path, FailureRule("storage.create_disk", nth=2, times=2))
    assert outcomes(done, 5) == ".xx.."
    assert done.made == 3


def test_calls_on_one_object_fail_however_it_is_named(tmp_path: Path) -> None:
    rule = FailureRule("storage.*", id="disk-1", permanent=True, message="Gone.")
    done = driver(tmp_path, rule)
    assert outcomes(done, 3) == ".x."
    with pytest.raises(HostError, match=r"Gone\.") as caught:
        done.create_disk(spec=DiskSpec("disk-1", 1))
    assert caught.value.permanent
    with pytest.raises(HostError):
        done.delete_disk(disk_id="disk-1")
    done.delete_disk("disk-2")


def test_an_answer_is_lost_after_the_thing_is_done(tmp_path: Path) -> None:
    done = driver(tmp_path, FailureRule("storage.create_disk", times=1, outcome="answer_lost"))
    assert outcomes(done, 2) == "x."
    assert done.made == 2


def test_a_late_call_is_done_all_the_same(tmp_path: Path) -> None:
    done = driver(tmp_path, FailureRule("storage.*", hang_s=0.05, outcome="late", times=1))
    started = time.monotonic()
    assert outcomes(done, 2) == ".."
    assert time.monotonic() - started >= 0.05


def test_a_call_is_delayed(tmp_path: Path) -> None:
    done = driver(tmp_path, delays={"storage.create_disk": (0.05, 0.06)})
    started = time.monotonic()
    done.create_disk(DiskSpec("d", 1))
    assert time.monotonic() - started >= 0.05


def test_chance_repeats_with_its_seed_and_differs_with_another(tmp_path: Path) -> None:
    rule = FailureRule("storage.create_disk", probability=0.5)
    first = outcomes(driver(tmp_path, rule, seed=1), 40)
    assert {".", "x"} == set(first)
    assert outcomes(driver(tmp_path, rule, seed=1), 40) == first
    assert outcomes(driver(tmp_path, rule, seed=2), 40) != first


def test_the_chance_of_a_verb_is_its_own(tmp_path: Path) -> None:
    rule = FailureRule("storage.*", probability=0.5)
    alone = outcomes(driver(tmp_path, rule), 20)
    done, mixed = driver(tmp_path, rule), ""
    for _ in range(20):
        mixed += outcomes(done, 1)
        try:
            done.delete_disk("d")
        except HostError:
            continue
    assert mixed == alone


def test_the_first_of_several_rules_that_strikes_decides(tmp_path: Path) -> None:
    done = driver(
        tmp_path,
        FailureRule("storage.*", nth=2, message="two"),
        FailureRule("storage.*", times=2, message="any"),
    )
    said = []
    for number in range(3):
        try:
            done.create_disk(DiskSpec(f"d-{number}", 1))
        except HostError as error:
            said.append(error.message)
    assert said == ["any", "two"]


def test_faults_are_injected_and_withdrawn_at_run_time(tmp_path: Path) -> None:
    done, path = driver(tmp_path, FailureRule("storage.*", nth=2)), tmp_path / "faults.json"
    path.write_text(json.dumps({"failures": [{"verb": "storage.create_disk", "times": 1}]}))
    assert outcomes(done, 3) == "x.."
    path.write_text(json.dumps({"failures": []}))
    assert outcomes(done, 3) == "..."
    path.unlink()
    assert outcomes(done, 3) == ".x."


def test_faults_that_cannot_be_read_are_told_until_they_can(tmp_path: Path) -> None:
    done, path = driver(tmp_path), tmp_path / "faults.json"
    for content in ("{", '{"failures": [{"verb": "nothing"}]}', "[]"):
        path.write_text(content)
        for _ in range(2):
            with pytest.raises(HostError, match=r"faults\.json"):
                done.create_disk(DiskSpec("d", 1))
    assert done.made == 0
    path.write_text("{}")
    assert outcomes(done, 1) == "."


def test_a_hang_ends_when_its_rule_is_withdrawn(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    rule = {"verb": "storage.*", "hang_s": 60, "outcome": "late"}
    path.write_text(json.dumps({"failures": [rule]}))
    done = driver(tmp_path)
    call = threading.Thread(target=done.create_disk, args=(DiskSpec("d", 1),))
    call.start()
    call.join(0.1)
    assert call.is_alive()
    assert done.made == 0
    path.unlink()
    call.join(5)
    assert not call.is_alive()
    assert done.made == 1


def test_closing_ends_a_hang_and_nothing_is_done(tmp_path: Path) -> None:
    done = driver(tmp_path, FailureRule("storage.*", hang_s=60))
    threading.Timer(0.05, done.faults.close).start()
    with pytest.raises(HostError, match="closing"):
        done.create_disk(DiskSpec("d", 1))
    assert done.made == 0


def test_a_shutdown_takes_a_time_between_the_two(tmp_path: Path) -> None:
    faults = driver(tmp_path, shutdown_s=(1.0, 2.0)).faults
    drawn = {faults.shutdown_time() for _ in range(10)}
    assert len(drawn) == 10
    assert min(drawn) >= 1
    assert max(drawn) <= 2
