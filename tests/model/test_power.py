from __future__ import annotations

from hanok.model.power import PowerState
from hanok.operations.power import POWER


def test_the_numbers_are_nova_s() -> None:
    """`nova.objects.fields.InstancePowerState`: clients compare numbers, not names."""
    assert {state.name: state.value for state in PowerState} == {
        "NOSTATE": 0,
        "RUNNING": 1,
        "PAUSED": 3,
        "SHUTDOWN": 4,
        "CRASHED": 6,
        "SUSPENDED": 7,
    }


def test_resting_states_differ_in_their_power() -> None:
    assert len(set(POWER.values())) == len(POWER)
