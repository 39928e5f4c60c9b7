from __future__ import annotations

import pytest

from hanok.model.devices import MOST, lowest_free, name
from hanok.model.errors import Forbidden


def test_the_lowest_free_letter_is_taken() -> None:
    assert lowest_free([]) == "vdb"
    assert lowest_free(["vda", "vdb", "vdd"]) == "vdc"


def test_after_vdz_there_is_none() -> None:
    taken = ["vda"]
    while len(taken) < MOST:
        taken.append(lowest_free(taken))
    assert taken[-1] == "vdz"
    with pytest.raises(Forbidden, match="at most 26 disks"):
        lowest_free(taken)


def test_every_place_has_a_name() -> None:
    assert [name(number) for number in (0, 1, 25, 26)] == ["vda", "vdb", "vdz", "vdaa"]
