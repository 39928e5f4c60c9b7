from __future__ import annotations

import pytest

from hanok.engine.steps import Failure, Outcome
from hanok.operations.fault import STEPS, fault_of
from hanok.operations.kinds import KINDS


@pytest.mark.parametrize("why", ["The host is full", "The host is full."])
def test_the_tenant_reads_why_and_at_which_step(why: str) -> None:
    said = fault_of(Outcome("undone", Failure("make_disk", why, "/srv/disks: ENOSPC")), now=7)
    assert said == {
        "code": 500,
        "message": "The host is full. Failed step: make the disk.",
        "details": "make_disk: /srv/disks: ENOSPC",
        "created_at": 7,
    }


def test_what_the_host_did_not_say_is_no_detail() -> None:
    assert fault_of(Outcome("undone", Failure("place", "Full.")), now=7)["details"] == "place"


@pytest.mark.parametrize("failure", [None, Failure("", "The operation did not finish.")])
def test_an_end_that_belongs_to_no_step_names_none(failure: Failure | None) -> None:
    said = fault_of(Outcome("stuck", failure), now=7)
    assert (said["message"], said["details"]) == ("The operation did not finish.", "")


def test_every_step_of_every_operation_has_words_for_a_tenant_and_no_others_have() -> None:
    assert STEPS.keys() == {step.name for kind in KINDS for step in kind.steps}
