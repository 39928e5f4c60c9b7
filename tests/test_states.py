"""`make docs`: the page of states is the table's, and draws each way once."""

from __future__ import annotations

import re

import pytest

from hanok.model.lifecycle import ACTIONS, ANY_STATE
from hanok.model.server import VmState
from scripts.states import PAGE, page


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run `make docs`"


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_has_its_row(name: str) -> None:
    [row] = re.findall(rf"^\| `{name}` \|(.*)\|$", page(), re.MULTILINE)
    states = row.split("|")[0].strip()
    allowed = ACTIONS[name].vm_states
    assert states == "every" if allowed == ANY_STATE else set(states.split(", ")) == allowed


def drawn() -> set[tuple[str, str, str]]:
    found = set()
    for start, end, names in re.findall(r"^    (\w+) --> (\w+): (.+)$", page(), re.MULTILINE):
        found |= {(start, end, name) for name in names.split(", ")}
    return found


def test_the_diagram_shows_each_way_that_an_action_leads() -> None:
    wanted = {
        (start, end, action.name)
        for action in ACTIONS.values()
        if action.ends != VmState.DELETED
        for start in action.vm_states
        for end in action.ends_from(start)
        if end != start
    }
    assert drawn() == wanted
    for way in (
        ("stopped", "active", "start"),
        ("resized", "stopped", "revertResize"),
        ("active", "shelved_offloaded", "shelve"),
    ):
        assert way in wanted
    assert not {name for start, end, name in wanted} & {"createImage", "attach_volume", "reboot"}


def test_every_state_has_its_status() -> None:
    rows = dict(re.findall(r"^\| (\w+) \| ([A-Z_]+) \|", page(), re.MULTILINE))
    assert set(rows) == set(VmState)
    assert rows["resized"] == "VERIFY_RESIZE"
    assert "REBOOT while rebooting" in page()
