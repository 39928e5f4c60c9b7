from __future__ import annotations

import pytest

from hanok.api.network.fields import Flag, check_project, flag
from hanok.model.errors import Invalid
from tests.api.one_region import CALLERS
from tests.region_store import MINE, OTHER


@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), (1, True), ("True", True), ("0", False), (False, False), ("false", False)],
)
def test_truth_is_written_in_many_ways(value: Flag, meant: bool) -> None:
    assert flag("shared", value, not meant) is meant


@pytest.mark.parametrize("value", [2, -1, "", "yes", "null"])
def test_anything_else_is_refused(value: Flag) -> None:
    assert flag("shared", None, True) is True
    with pytest.raises(Invalid, match="shared"):
        flag("shared", value, False)


@pytest.mark.parametrize("caller", ["member", "admin"])
def test_an_object_is_of_the_tokens_project(caller: str) -> None:
    check_project(CALLERS[caller], None, "", MINE)
    with pytest.raises(Invalid, match="tenant_id"):
        check_project(CALLERS[caller], None, OTHER)
