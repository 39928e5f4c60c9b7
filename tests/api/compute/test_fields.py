from __future__ import annotations

import base64
from typing import Any

import pytest

from hanok.api.compute.fields import USER_DATA, flag, read_user_data
from hanok.model.errors import Invalid


@pytest.mark.parametrize("value", [True, 1, "1", "true", "True", "on", "yes", "T", " Y "])
def test_true_in_every_way_that_clients_write_it(value: Any) -> None:
    assert flag("x", value) is True


@pytest.mark.parametrize("value", [False, 0, "0", "false", "False", "off", "no", "", None])
def test_false_in_every_way_that_clients_write_it(value: Any) -> None:
    assert flag("x", value) is False


def test_user_data_is_limited_by_the_length_of_its_base64() -> None:
    largest = base64.b64encode(b"x" * 49_149).decode()
    assert len(largest) == USER_DATA - 3
    assert read_user_data(largest + "\n\n\n") == b"x" * 49_149
    with pytest.raises(Invalid, match="65536 bytes of base64"):
        read_user_data(largest + "\n\n\n\n")
    assert read_user_data("eHl\n 6") == b"xyz"
    assert read_user_data(None) is None
