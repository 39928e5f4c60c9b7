from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanok.model.moments import SECOND, iso, iso_micro

LAST = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("moment", "seconds", "micro"),
    [
        (0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000"),
        (1_769_860_800 * SECOND, "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000"),
        (1_769_860_800 * SECOND + 999_999, "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.999999"),
        (None, None, None),
    ],
)
def test_moments_are_written_as_nova_writes_them(
    moment: int | None, seconds: str | None, micro: str | None
) -> None:
    assert iso(moment) == seconds
    assert iso_micro(moment) == micro


@given(st.integers(0, LAST))
def test_no_microsecond_is_lost_and_none_is_rounded(moment: int) -> None:
    whole, fine = iso(moment), iso_micro(moment)
    assert whole is not None
    assert fine is not None
    read = datetime.fromisoformat(fine).replace(tzinfo=UTC)
    assert (read - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) == moment
    assert fine.startswith(whole.removesuffix("Z"))


@given(st.integers(0, LAST), st.integers(0, LAST))
def test_what_is_written_sorts_like_the_moments(first: int, second: int) -> None:
    written = sorted([iso_micro(first) or "", iso_micro(second) or ""])
    assert written == [iso_micro(min(first, second)), iso_micro(max(first, second))]
