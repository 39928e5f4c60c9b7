from __future__ import annotations

import tomllib
from typing import Any

import pytest

from hanok.drivers.simulated.config import GIB, FailureRule, FaultPlan, SimulatedConfig
from hanok.model.errors import Invalid

TOML = """
seed = 7
vcpus = 8
shutdown_s = [1, 2.5]
[delays]
"compute.start" = [0.1, 0.2]
"storage.*" = [0, 1]
[[failures]]
verb = "network.plug"
nth = 2
times = 3
permanent = true
message = "No."
hang_s = 1
outcome = "answer_lost"
[images]
"image-1" = 2147483648
"""


def test_the_default_is_a_large_host_without_faults() -> None:
    config = SimulatedConfig()
    assert (config.vcpus, config.ram_mib, config.disk_gib) == (64, 256 * 1024, 4096)
    assert config.delay("compute.start") == (0.0, 0.0)
    assert config.failures == ()
    assert config.image_size("any") == GIB


def test_a_table_of_toml_is_read_whole() -> None:
    assert SimulatedConfig.from_dict(tomllib.loads(TOML)) == SimulatedConfig(
        seed=7,
        vcpus=8,
        shutdown_s=(1.0, 2.5),
        delays={"compute.start": (0.1, 0.2), "storage.*": (0.0, 1.0)},
        failures=(
            FailureRule(
                "network.plug",
                nth=2,
                times=3,
                permanent=True,
                message="No.",
                hang_s=1.0,
                outcome="answer_lost",
            ),
        ),
        images={"image-1": 2 * GIB},
    )


def test_only_listed_images_are_there_when_some_are_listed() -> None:
    config = SimulatedConfig.from_dict({"images": {"there": 5}})
    assert (config.image_size("there"), config.image_size("absent")) == (5, None)


def test_the_first_delay_that_matches_counts() -> None:
    plan = FaultPlan(delays={"compute.start": (1, 1), "compute.*": (2, 2)})
    assert [plan.delay(verb)[0] for verb in ("compute.start", "compute.delete")] == [1, 2]
    assert plan.delay("storage.free_gib") == (0.0, 0.0)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sed": 1}, "'sed'"),
        ({"vcpus": 1}, "'vcpus'"),
        ({"failures": [{"verb": "compute.start", "hang": 1}]}, "'hang'"),
        ({"failures": [{"verb": "compute.strat"}]}, "compute.strat"),
        ({"failures": [{"verb": "compute.watch"}]}, "compute.watch"),
        ({"failures": [{}]}, "verb"),
        ({"failures": 3}, "array"),
        ({"failures": [{"verb": "*", "probability": 1.5}]}, "1.5"),
        ({"failures": [{"verb": "*", "nth": 0}]}, "from 1"),
        ({"failures": [{"verb": "*", "times": 0}]}, "at least once"),
        ({"failures": [{"verb": "*", "hang_s": -1}]}, "-1"),
        ({"failures": [{"verb": "*", "outcome": "maybe"}]}, "maybe"),
        ({"delays": {"disk.create": [0, 1]}}, "disk.create"),
        ({"delays": {"*": [2, 1]}}, "[2.0, 1.0]"),
        ({"shutdown_s": [-1, 1]}, "-1"),
        ({"seed": "x"}, "seed"),
    ],
)
def test_what_cannot_be_meant_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid) as caught:
        FaultPlan.from_dict(values)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        (FailureRule("*"), [1, 2, 3, 4, 5]),
        (FailureRule("*", nth=3), [3]),
        (FailureRule("*", times=2), [1, 2]),
        (FailureRule("*", nth=2, times=3), [2, 3, 4]),
    ],
)
def test_which_calls_a_rule_meets(rule: FailureRule, met: list[int]) -> None:
    assert [number for number in range(1, 6) if rule.meets(number)] == met


def test_what_a_rule_matches() -> None:
    rule = FailureRule("storage.*", id="disk-1")
    assert rule.matches("storage.create_disk", "disk-1")
    assert not rule.matches("storage.create_disk", "disk-2")
    assert not rule.matches("compute.start", "disk-1")
    assert FailureRule("*").matches("compute.start", "any")


def test_what_a_rule_raises() -> None:
    error = FailureRule("*", message="No room.", permanent=True).error("compute.start", "s-1")
    assert (error.message, error.permanent) == ("No room.", True)
    assert "compute.start s-1" in error.detail
