from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from hanok.engine.sealing import Sealer

SECRET = {"admin_pass": "xyzzy-plugh", "user_data": "IyEvYmluL3NoCg=="}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    return Sealer.from_file(tmp_path / "key", os.urandom)


@given(JSON)
def test_what_is_sealed_comes_back(value: Any) -> None:
    one = Sealer(bytes(32), os.urandom)
    assert one.open("name", one.seal("name", value)) == value


def test_nothing_of_it_can_be_read_and_nothing_repeats(sealer: Sealer) -> None:
    first, second = sealer.seal("o", SECRET), sealer.seal("o", SECRET)
    assert b"xyzzy" not in first
    assert b"admin_pass" not in first
    assert first != second
    assert first[:12] != second[:12]


@pytest.mark.parametrize("position", [0, 12, -1])
def test_a_changed_byte_is_noticed(sealer: Sealer, position: int) -> None:
    sealed = bytearray(sealer.seal("o", SECRET))
    sealed[position] ^= 1
    with pytest.raises(InvalidTag):
        sealer.open("o", bytes(sealed))


def test_one_operation_s_secret_cannot_be_passed_off_as_another_s(sealer: Sealer) -> None:
    with pytest.raises(InvalidTag):
        sealer.open("other", sealer.seal("o", SECRET))


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    sealed = Sealer.from_file(path, os.urandom).seal("o", SECRET)
    key = path.read_bytes()
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Sealer.from_file(path, os.urandom).open("o", sealed) == SECRET
    assert path.read_bytes() == key
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_a_key_that_a_crash_left_half_written_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "key.new").write_bytes(b"half")
    Sealer.from_file(tmp_path / "key", os.urandom)
    assert len((tmp_path / "key").read_bytes()) == 32
    assert not (tmp_path / "key.new").exists()


def test_with_another_key_nothing_opens(tmp_path: Path) -> None:
    one, two = (Sealer.from_file(tmp_path / name, os.urandom) for name in ("a", "b"))
    with pytest.raises(InvalidTag):
        two.open("o", one.seal("o", SECRET))
